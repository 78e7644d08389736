"""Rich, minimal and hostile leads: the CRM holds what was sent."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

import pytest

from chatferry.connector import Connector
from chatferry.errors import PermanentFailure
from chatferry.model import Receipt
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import (
    Cases,
    delivered,
    holds_content,
    holds_once,
    holds_receipts,
    needs,
    outcomes,
    record_of,
    truncated_with_note,
)
from chatferry.testing.harness import Harness
from chatferry.testing.leads import HOSTILE, UNSTORABLE

LONG = 200_000
"""Characters of the longest transcript; iAdvize's offsite conversations can last for days."""


class ContentCases(Cases):
    """What a lead may contain."""

    def test_read_back_equals_what_was_sent(self, crm: Harness, connector: Connector) -> None:
        """Every field of a rich lead, of every type the CRM has."""
        lead = crm.leads.rich()
        delivered(connector, lead)
        holds_content(crm, lead)

    def test_a_receipt_names_the_records(self, crm: Harness, connector: Connector) -> None:
        """The ids are the CRM's, by object name; ``created`` is true for a new record."""
        lead = crm.leads.rich()
        (receipt,) = delivered(connector, lead)
        holds_receipts(crm, [lead], [receipt])
        assert receipt.created

    def test_the_poorest_lead_is_delivered(self, crm: Harness, connector: Connector) -> None:
        """An erased visitor who said nothing is still a conversation."""
        lead = crm.leads.poorest()
        delivered(connector, lead)
        holds_once(crm, lead)

    def test_a_lead_without_email_is_delivered(self, crm: Harness, connector: Connector) -> None:
        """Then the visitor's iAdvize id is the key; two such visitors are two contacts."""
        leads = [crm.leads.ordinary(number, with_email=False) for number in (1, 2)]
        delivered(connector, *leads)
        holds_content(crm, *leads)

    @needs(Capability.CONTACTS, Capability.CONVERSATIONS, Capability.LINKS)
    def test_the_conversation_names_its_contact(self, crm: Harness, connector: Connector) -> None:
        """Each conversation is linked to its own visitor's contact."""
        assert crm.contact
        assert crm.conversation
        leads = [crm.leads.rich(1), crm.leads.ordinary(2, with_email=False)]
        delivered(connector, *leads)
        for lead in leads:
            assert record_of(crm, crm.conversation, lead).contact == record_of(crm, crm.contact, lead).id

    @pytest.mark.parametrize("kind", HOSTILE)
    def test_hostile_text_is_kept(self, crm: Harness, connector: Connector, kind: str) -> None:
        """Emoji, line ends, formulas, right-to-left, markup: nothing is executed, lost or changed."""
        lead = crm.leads.hostile(HOSTILE[kind])
        delivered(connector, lead)
        holds_content(crm, lead)

    @pytest.mark.parametrize("kind", UNSTORABLE)
    def test_unstorable_text_is_replaced_or_refused(
        self, crm: Harness, connector: Connector, kind: str
    ) -> None:
        """Null bytes and lone surrogates affect their lead only, and never crash the connector."""
        bad, good = crm.leads.hostile(UNSTORABLE[kind], 1), crm.leads.ordinary(2)
        first, second = outcomes(connector, [bad, good])
        assert isinstance(first, Receipt | PermanentFailure), f"got {first!r}"
        assert isinstance(second, Receipt), f"a companion was not delivered: {second!r}"
        holds_content(crm, good)
        if isinstance(first, Receipt):
            for shape in crm.shapes:
                assert record_of(crm, shape, bad).fields.get(shape.text), "the whole text was lost"

    @needs(Capability.CONVERSATIONS)
    def test_a_transcript_of_200_000_characters_is_kept_or_cut_and_said(
        self, crm: Harness, connector: Connector
    ) -> None:
        """What does not fit is truncated, and a note of the receipt says so."""
        shape = crm.conversation
        assert shape
        field = shape.long or shape.text
        line = "Visitor: é € 👍 a line of a very long conversation\n"
        lead = crm.leads.ordinary(conversation={field: (line * (LONG // len(line) + 1))[:LONG]})
        (receipt,) = delivered(connector, lead)
        truncated_with_note(crm, shape, field, lead, receipt)

    def test_a_very_long_name_is_kept_cut_and_said_or_refused(
        self, crm: Harness, connector: Connector
    ) -> None:
        """Two thousand characters in a field made for forty."""
        shape = crm.shapes[0]
        lead = crm.leads.hostile("Anna-Maria " * 200)
        (outcome,) = outcomes(connector, [lead])
        if isinstance(outcome, Receipt):
            truncated_with_note(crm, shape, shape.text, lead, outcome)
        else:
            assert isinstance(outcome, PermanentFailure), f"got {outcome!r}"

    @needs(Capability.FIELD_LIMITS)
    def test_a_text_of_exactly_the_limit_fits(self, crm: Harness, connector: Connector) -> None:
        """Characters are counted as the CRM counts them."""
        contact, conversation = (
            {name: "é" * limit for name, limit in shape.limits.items()} if shape else None
            for shape in (crm.contact, crm.conversation)
        )
        lead = crm.leads.ordinary(contact=contact, conversation=conversation)
        delivered(connector, lead)
        holds_content(crm, lead)

    @needs(Capability.FIELD_LIMITS)
    def test_a_text_beyond_the_limit_is_cut_and_said_or_refused_by_name(
        self, crm: Harness, connector: Connector
    ) -> None:
        """One character too many never fails the companions, and the error names the field."""
        for number, shape in enumerate(crm.shapes):
            for field, limit in shape.limits.items():
                fields = {field: "é" * (limit + 1)}
                lead = crm.leads.ordinary(
                    2 * number + 1,
                    contact=fields if shape is crm.contact else None,
                    conversation=fields if shape is crm.conversation else None,
                )
                good = crm.leads.ordinary(2 * number + 2)
                outcome, companion = outcomes(connector, [lead, good])
                assert isinstance(companion, Receipt), f"a companion was not delivered: {companion!r}"
                if isinstance(outcome, Receipt):
                    truncated_with_note(crm, shape, field, lead, outcome)
                else:
                    assert isinstance(outcome, PermanentFailure), f"got {outcome!r}"
                    assert field in f"{outcome} {outcome.crm_message}", f"the refusal does not name {field}"
