"""Values the CRM refuses: the error names the field, and other leads are not affected."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chatferry.connector import Connector, Outcome
from chatferry.errors import PermanentFailure
from chatferry.model import Lead, Receipt, Value
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import (
    Cases,
    delivered,
    holds_content,
    holds_receipts,
    needs,
    outcomes,
    record_of,
    same,
)
from chatferry.testing.harness import Harness

UNKNOWN = "chatferry_has_no_such_field"
"""A field that no CRM has before a connector makes it."""


class ValidationCases(Cases):
    """A refused lead is dead at once, and the error names the field."""

    @needs(Capability.REQUIRED_FIELDS)
    def test_a_missing_required_field_is_refused_by_name(self, crm: Harness, connector: Connector) -> None:
        """The companion in the same batch is delivered."""
        for shape in crm.shapes:
            if shape.required:
                lead = _changed(crm.leads.ordinary(1), shape.name, shape.required, None)
                for outcome in _beside_a_companion(crm, connector, lead):
                    assert isinstance(outcome, PermanentFailure), f"got {outcome!r}"
                    _names(outcome, shape.required)

    @needs(Capability.PICKLISTS)
    def test_a_value_outside_the_list_is_refused_by_name_or_left_out_and_said(
        self, crm: Harness, connector: Connector
    ) -> None:
        """The value may be left out, with a note in the receipt, instead of refusing the lead."""
        for shape in crm.shapes:
            if shape.picklist:
                field, bad = shape.picklist.field, shape.picklist.bad
                lead = _changed(crm.leads.ordinary(1), shape.name, field, bad)
                for outcome in _beside_a_companion(crm, connector, lead):
                    if isinstance(outcome, Receipt):
                        assert any(field in note for note in outcome.notes), f"no note names {field}"
                    else:
                        assert isinstance(outcome, PermanentFailure), f"got {outcome!r}"
                        _names(outcome, field)

    @needs(Capability.UNKNOWN_FIELDS)
    def test_a_field_the_crm_does_not_have_is_refused_by_name_left_out_and_said_or_made(
        self, crm: Harness
    ) -> None:
        """Its value is never lost in silence, and its lead does not wait for the field."""
        for shape in crm.shapes:
            connector = crm.connect({shape.name: (UNKNOWN,)})
            lead = _changed(crm.leads.ordinary(1), shape.name, UNKNOWN, "kept")
            for outcome in _beside_a_companion(crm, connector, lead):
                if not isinstance(outcome, Receipt):
                    assert isinstance(outcome, PermanentFailure), f"got {outcome!r}"
                    _names(outcome, UNKNOWN)
                elif not any(UNKNOWN in note for note in outcome.notes):
                    held = record_of(crm, shape, lead).fields.get(UNKNOWN)
                    same(held, crm.held_as(shape.name, UNKNOWN, "kept"), f"{shape.name}.{UNKNOWN}")
            connector.close()

    @needs(Capability.KEY_FIELD)
    def test_a_mapping_that_writes_the_key_takes_no_record_its_key(
        self, crm: Harness, connector: Connector
    ) -> None:
        """The lead is found again by its own key, or refused with the name of the field."""
        for shape in crm.shapes:
            if shape.key:
                lead = _changed(crm.leads.ordinary(1), shape.name, shape.key, "mapped")
                for outcome in _beside_a_companion(crm, connector, lead):
                    if isinstance(outcome, Receipt):
                        (again,) = delivered(connector, lead)
                        holds_receipts(crm, [lead], [again])
                    else:
                        assert isinstance(outcome, PermanentFailure), f"got {outcome!r}"
                        _names(outcome, shape.key)


def _beside_a_companion(crm: Harness, connector: Connector, lead: Lead) -> Iterator[Outcome]:
    companion = crm.leads.ordinary(2)
    outcome, other = outcomes(connector, [lead, companion])
    assert isinstance(other, Receipt), f"a companion was not delivered: {other!r}"
    holds_content(crm, companion)
    yield outcome


def _changed(lead: Lead, name: str, field: str, value: Value) -> Lead:
    record = lead.records[name]
    values = {**record.values, field: value}
    if value is None:
        del values[field]
    return replace(lead, records={**lead.records, name: replace(record, values=values)})


def _names(error: PermanentFailure, field: str) -> None:
    assert field in f"{error} {error.crm_message}", f"the refusal does not name {field}: {error}"
