"""Erasure: a person's records are removed from the CRM."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from chatferry.connector import Connector
from chatferry.model import Receipt
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import Cases, delivered, holds_content, key_of, needs
from chatferry.testing.harness import Harness


class ErasureCases(Cases):
    """``erase`` takes receipts as the ledger has them."""

    @needs(Capability.ERASE)
    def test_erased_records_are_gone_and_others_stay(self, crm: Harness, connector: Connector) -> None:
        """Every object the receipt names, and nothing it does not."""
        erased, kept = crm.leads.rich(1), crm.leads.rich(2)
        receipt, _ = delivered(connector, erased, kept)
        (outcome,) = connector.erase([receipt])
        assert isinstance(outcome, Receipt), f"got {outcome!r}"
        for shape in crm.shapes:
            keys = {held.key for held in crm.held(shape.name)}
            assert key_of(crm, shape, erased) not in keys, f"the {shape.name} is still there"
        holds_content(crm, kept)

    @needs(Capability.ERASE)
    def test_erasing_again_is_a_success(self, crm: Harness, connector: Connector) -> None:
        """Erasing is idempotent; there is an outcome for each receipt."""
        receipts = delivered(connector, *crm.leads.several(2))
        connector.erase(receipts[:1])
        found = list(connector.erase(receipts))
        assert len(found) == len(receipts)
        for outcome in found:
            assert isinstance(outcome, Receipt), f"got {outcome!r}"
        assert not any(crm.held(shape.name) for shape in crm.shapes)
