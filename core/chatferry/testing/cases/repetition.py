"""Idempotency: the same key again leaves one record."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from dataclasses import replace

from chatferry.connector import Connector
from chatferry.model import Lead, Record, Value
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import (
    Cases,
    delivered,
    held_once,
    holds_content,
    holds_once,
    holds_receipts,
    key_of,
    needs,
    record_of,
    same,
    snapshot,
    text_in,
)
from chatferry.testing.harness import Harness


class RepetitionCases(Cases):
    """Delivery is at least once: a connector may be called twice with the same lead."""

    def test_the_same_lead_twice_leaves_one_record(self, crm: Harness, connector: Connector) -> None:
        """The first answer was lost, so the lead has no receipt."""
        lead = crm.leads.rich()
        (first,) = delivered(connector, lead)
        (second,) = delivered(connector, lead)
        holds_once(crm, lead)
        assert first.ids == second.ids

    def test_the_same_lead_without_email_twice_leaves_one_record(
        self, crm: Harness, connector: Connector
    ) -> None:
        """Also when the visitor's id is the only key there is."""
        lead = crm.leads.ordinary(with_email=False)
        delivered(connector, lead)
        delivered(connector, lead)
        holds_once(crm, lead)

    def test_pushing_twice_changes_nothing(self, crm: Harness, connector: Connector) -> None:
        """The second time, with the receipt of the first, changes nothing in the CRM."""
        lead = crm.leads.rich()
        (receipt,) = delivered(connector, lead)
        before = snapshot(crm)
        delivered(connector, replace(lead, receipt=receipt))
        assert snapshot(crm) == before

    def test_a_record_is_said_to_be_new_once(self, crm: Harness, connector: Connector) -> None:
        """``created`` is true the first time and not the second."""
        lead = crm.leads.rich()
        (receipt,) = delivered(connector, lead)
        (again,) = delivered(connector, replace(lead, receipt=receipt))
        assert receipt.created
        assert not again.created

    def test_a_restart_makes_no_second_record(self, crm: Harness, connector: Connector) -> None:
        """A new instance finds what an earlier one wrote."""
        lead = crm.leads.rich()
        delivered(connector, lead)
        connector.close()
        fresh = crm.connect()
        try:
            delivered(fresh, lead)
        finally:
            fresh.close()
        holds_once(crm, lead)

    def test_an_earlier_receipt_is_not_needed_nor_believed_blindly(
        self, crm: Harness, connector: Connector
    ) -> None:
        """A receipt may name nothing, or another lead's records: its ids are a hint, the key decides."""
        first, *others = crm.leads.several(3)
        (receipt,) = delivered(connector, first)
        for lead, ids in zip(others, ({}, receipt.ids), strict=True):
            for _ in ("new", "known"):
                (own,) = delivered(connector, replace(lead, receipt=replace(receipt, ids=ids)))
                holds_receipts(crm, [first, lead], [receipt, own])
        holds_content(crm, first, *others)

    @needs(Capability.UPDATE)
    def test_changed_content_replaces_the_old(self, crm: Harness, connector: Connector) -> None:
        """An answer found later updates the record it belongs to."""
        delivered(connector, crm.leads.ordinary(contact=text_in(crm.contact, "old")))
        changed = crm.leads.ordinary(
            contact=text_in(crm.contact, "new"), conversation=text_in(crm.conversation, "new")
        )
        delivered(connector, changed)
        holds_content(crm, changed)

    @needs(Capability.UPDATE)
    def test_absent_fields_are_kept(self, crm: Harness, connector: Connector) -> None:
        """A field without a value is not sent, and the CRM keeps its own."""
        lead = crm.leads.rich()
        delivered(connector, lead)
        delivered(connector, _without(lead, *(shape.other for shape in crm.shapes)))
        holds_content(crm, lead)

    @needs(Capability.CLEAR)
    def test_none_clears_its_field_and_no_other(self, crm: Harness, connector: Connector) -> None:
        """The mapping sends None to clear a field."""
        lead = crm.leads.rich()
        delivered(connector, lead)
        delivered(connector, _with(lead, {shape.name: {shape.text: None} for shape in crm.shapes}))
        for shape in crm.shapes:
            fields = record_of(crm, shape, lead).fields
            assert not fields.get(shape.text), f"{shape.name}.{shape.text} was not cleared"
            same(fields.get(shape.other), crm.held_as(shape.name, shape.other, "kept"), shape.other)

    @needs(Capability.CONTACTS, Capability.CONVERSATIONS)
    def test_two_conversations_of_one_visitor_are_one_contact(
        self, crm: Harness, connector: Connector
    ) -> None:
        """A returning visitor is not a new contact."""
        assert crm.contact
        assert crm.conversation
        leads = [crm.leads.ordinary(number, visitor=1) for number in (1, 2)]
        for lead in leads:
            delivered(connector, lead)
            held_once(crm, crm.contact, key_of(crm, crm.contact, lead))
        holds_once(crm, *leads)
        assert len(crm.held(crm.contact.name)) == 1


class ModeCases(Cases):
    """Field modes: how a value is merged with what the CRM holds."""

    @needs(Capability.FILL_IF_EMPTY)
    def test_fill_if_empty_keeps_what_is_there(self, crm: Harness, connector: Connector) -> None:
        """A value that a user of the CRM entered is not overwritten."""
        lead = crm.leads.rich()
        delivered(connector, lead)
        delivered(connector, _moded(crm, lead, "fill_if_empty"))
        for shape in crm.shapes:
            held = record_of(crm, shape, lead).fields.get(shape.other)
            same(held, crm.held_as(shape.name, shape.other, "kept"), shape.other)

    @needs(Capability.FILL_IF_EMPTY)
    def test_fill_if_empty_fills_what_is_empty(self, crm: Harness, connector: Connector) -> None:
        """In a new record, and in one that has nothing there yet."""
        lead = crm.leads.ordinary()
        bare = _without(lead, *(shape.other for shape in crm.shapes))
        fresh = _moded(crm, crm.leads.ordinary(2), "fill_if_empty")
        delivered(connector, bare)
        delivered(connector, _moded(crm, lead, "fill_if_empty"), fresh)
        for filled in (lead, fresh):
            for shape in crm.shapes:
                held = record_of(crm, shape, filled).fields.get(shape.other)
                same(held, crm.held_as(shape.name, shape.other, "mode"), shape.other)

    @needs(Capability.CREATE_ONLY)
    def test_create_only_writes_when_the_record_is_made_and_never_again(
        self, crm: Harness, connector: Connector
    ) -> None:
        """An empty field of an old record stays empty."""
        old = _without(crm.leads.ordinary(1), *(shape.other for shape in crm.shapes))
        new = crm.leads.ordinary(2)
        delivered(connector, old)
        delivered(connector, _moded(crm, old, "create_only"), _moded(crm, new, "create_only"))
        for shape in crm.shapes:
            assert not record_of(crm, shape, old).fields.get(shape.other)
            held = record_of(crm, shape, new).fields.get(shape.other)
            same(held, crm.held_as(shape.name, shape.other, "mode"), shape.other)


def _with(lead: Lead, changes: dict[str, dict[str, Value]]) -> Lead:
    records = {
        name: replace(record, values={**record.values, **changes.get(name, {})})
        for name, record in lead.records.items()
    }
    return replace(lead, records=records)


def _without(lead: Lead, *fields: str) -> Lead:
    records = {
        name: replace(record, values={f: v for f, v in record.values.items() if f not in fields})
        for name, record in lead.records.items()
    }
    return replace(lead, records=records)


def _moded(crm: Harness, lead: Lead, mode: str) -> Lead:
    bare = _without(lead, *(shape.other for shape in crm.shapes))
    records: dict[str, Record] = {
        shape.name: replace(bare.records[shape.name], **{mode: {shape.other: "mode"}}) for shape in crm.shapes
    }
    return replace(lead, records=records)
