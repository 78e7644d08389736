"""Leads of which iAdvize shows less than when they were delivered: an erased visitor's, for instance."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from dataclasses import replace

from chatferry.connector import Connector
from chatferry.model import Lead, Receipt, Record
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import Cases, delivered, needs, snapshot
from chatferry.testing.harness import Harness


class UpdateCases(Cases):
    """A lead that is ``update_only`` goes into the records of its receipt, or nowhere."""

    @needs(Capability.UPDATE_ONLY)
    def test_an_update_only_lead_changes_what_it_names_and_nothing_else(
        self, crm: Harness, connector: Connector
    ) -> None:
        """The records stay the same ones, associated as they were; what is not named keeps its value."""
        lead = crm.leads.rich()
        (receipt,) = delivered(connector, lead)
        expected = snapshot(crm)
        changed = {shape.name: Record(values={shape.other: "news"}) for shape in crm.shapes[-1:]}
        for fields in (fields for name in changed for _, _, fields, _ in expected[name]):
            fields[crm.shapes[-1].other] = "news"
        delivered(connector, _narrowed(lead, receipt, changed))
        assert snapshot(crm) == expected

    @needs(Capability.UPDATE_ONLY, Capability.ERASE)
    def test_an_update_only_lead_creates_nothing(self, crm: Harness, connector: Connector) -> None:
        """Records that were removed meanwhile are not made again; the lead counts as delivered."""
        lead = crm.leads.ordinary()
        (receipt,) = delivered(connector, lead)
        connector.erase([receipt])
        before = snapshot(crm)
        delivered(connector, _narrowed(lead, receipt, {}))
        assert snapshot(crm) == before


def _narrowed(lead: Lead, receipt: Receipt, records: dict[str, Record]) -> Lead:
    """Return the lead of a later reading that shows less, with what it still shows."""
    shown = {name: records.get(name, Record()) for name in lead.records}
    return replace(lead, records=shown, receipt=receipt, update_only=True)
