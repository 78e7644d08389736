"""Concurrent changes by the CRM's users: delete, merge, convert."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from dataclasses import replace

from chatferry.connector import Connector
from chatferry.errors import PermanentFailure
from chatferry.model import Lead, Receipt
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import (
    Cases,
    delivered,
    holds_receipts,
    key_of,
    needs,
    outcomes,
    record_of,
)
from chatferry.testing.harness import Harness


class ChangeCases(Cases):
    """The lead is delivered again, with another one: written or refused, no duplicate, no false receipt."""

    @needs(Capability.DELETED)
    def test_a_deleted_record_is_made_anew_or_refused(self, crm: Harness, connector: Connector) -> None:
        """For each object; a receipt is returned only for a record that exists."""
        for number, shape in enumerate(crm.shapes):
            lead, companion = _pair(crm, number)
            (receipt,) = delivered(connector, lead)
            crm.delete(shape.name, key_of(crm, shape, lead))
            _deliver_truthfully(crm, connector, replace(lead, receipt=receipt), companion)

    @needs(Capability.ARCHIVED)
    def test_an_archived_record_is_restored_made_anew_or_refused(
        self, crm: Harness, connector: Connector
    ) -> None:
        """For each object; the lead does not wait for a record that stays out of sight."""
        for number, shape in enumerate(crm.shapes):
            lead, companion = _pair(crm, number)
            (receipt,) = delivered(connector, lead)
            crm.archive(shape.name, key_of(crm, shape, lead))
            _deliver_truthfully(crm, connector, replace(lead, receipt=receipt), companion)

    @needs(Capability.MERGED, Capability.CONTACTS)
    def test_a_merged_record_is_not_brought_back(self, crm: Harness, connector: Connector) -> None:
        """The lead updates the surviving record, or is refused; no duplicate is created."""
        assert crm.contact
        lead, companion = _pair(crm, 0)
        winner = crm.leads.ordinary(9)
        receipt, _ = delivered(connector, lead, winner)
        crm.merge(crm.contact.name, lead.contact_key, winner.contact_key)
        before = {held.id for held in crm.held(crm.contact.name)}
        outcome, other = outcomes(connector, [replace(lead, receipt=receipt), companion])
        assert isinstance(other, Receipt), f"a companion came out as {other!r}"
        assert isinstance(outcome, Receipt | PermanentFailure), f"got {outcome!r}"
        made = {held.id for held in crm.held(crm.contact.name)} - before
        assert made <= {other.ids[crm.contact.name]}, "a record merged away was made again"
        if isinstance(outcome, Receipt):
            assert outcome.ids[crm.contact.name] in before, "the receipt names a record that is gone"

    @needs(Capability.CONVERTED, Capability.CONTACTS)
    def test_a_converted_record_is_left_alone(self, crm: Harness, connector: Connector) -> None:
        """A record that became read-only is neither written nor created again; the companion is delivered."""
        assert crm.contact
        lead, companion = _pair(crm, 0)
        (receipt,) = delivered(connector, lead)
        crm.convert(crm.contact.name, lead.contact_key)
        before = {held.id for held in crm.held(crm.contact.name)}
        outcome, other = outcomes(connector, [replace(lead, receipt=receipt), companion])
        assert isinstance(other, Receipt), f"a companion came out as {other!r}"
        assert isinstance(outcome, Receipt | PermanentFailure), f"got {outcome!r}"
        made = {held.id for held in crm.held(crm.contact.name)} - before
        assert made <= {other.ids[crm.contact.name]}, "a converted record was made again"
        if isinstance(outcome, Receipt) and crm.conversation:
            record_of(crm, crm.conversation, lead)


def _pair(crm: Harness, number: int) -> tuple[Lead, Lead]:
    return crm.leads.ordinary(10 * number + 1), crm.leads.ordinary(10 * number + 2)


def _deliver_truthfully(crm: Harness, connector: Connector, lead: Lead, companion: Lead) -> None:
    outcome, other = outcomes(connector, [lead, companion])
    assert isinstance(other, Receipt), f"a companion came out as {other!r}"
    holds_receipts(crm, [companion], [other])
    if isinstance(outcome, Receipt):
        holds_receipts(crm, [lead], [outcome])
    else:
        assert isinstance(outcome, PermanentFailure), f"got {outcome!r}"
