"""Many leads in one call: an outcome each, in their order, whatever the CRM answers."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from chatferry.connector import Connector, Outcome
from chatferry.errors import PermanentFailure, RateLimited, TemporaryFailure
from chatferry.model import Receipt
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
    outcomes,
    text_in,
)
from chatferry.testing.harness import Harness
from chatferry.testing.trouble import Trouble

MOST_AT_ONCE = 100
"""The most leads of a batch that is bisected: seven halvings."""


class BatchCases(Cases):
    """A batch saves requests; its leads succeed or fail one by one."""

    def test_no_leads_are_no_error(self, connector: Connector) -> None:
        """An empty batch has no outcomes."""
        assert list(connector.deliver([])) == []

    @needs(Capability.BATCH)
    def test_a_full_batch_gets_one_outcome_a_lead_in_order(self, crm: Harness, connector: Connector) -> None:
        """Each receipt names the records of the lead in its place."""
        leads = crm.leads.several(connector.batch_size)
        holds_receipts(crm, leads, delivered(connector, *leads))
        holds_content(crm, *leads)

    @needs(Capability.BATCH)
    def test_a_batch_of_known_and_new_leads_tells_them_apart(
        self, crm: Harness, connector: Connector
    ) -> None:
        """Each receipt says whether its record is new; visitors with and without e-mail are mixed."""
        leads = [crm.leads.ordinary(number, with_email=number % 2 == 1) for number in range(1, 5)]
        delivered(connector, leads[1], leads[2])
        receipts = delivered(connector, *leads)
        assert [receipt.created for receipt in receipts] == [True, False, False, True]
        holds_content(crm, *leads)

    @needs(Capability.BATCH)
    def test_the_same_lead_twice_in_a_batch_leaves_one_record(
        self, crm: Harness, connector: Connector
    ) -> None:
        """Both get a receipt for the same record."""
        lead, other = crm.leads.ordinary(1), crm.leads.ordinary(2)
        first, _, second = delivered(connector, lead, other, lead)
        holds_content(crm, lead, other)
        assert first.ids == second.ids

    @needs(Capability.BATCH, Capability.UPDATE)
    def test_the_later_of_two_contents_in_a_batch_wins(self, crm: Harness, connector: Connector) -> None:
        """Leads are written in their order."""
        older, newer = (
            crm.leads.ordinary(
                contact=text_in(crm.contact, text), conversation=text_in(crm.conversation, text)
            )
            for text in ("older", "newer")
        )
        delivered(connector, older, newer)
        holds_content(crm, newer)

    @needs(Capability.BATCH, Capability.CONTACTS, Capability.CONVERSATIONS)
    def test_two_conversations_of_one_visitor_in_a_batch_are_one_contact(
        self, crm: Harness, connector: Connector
    ) -> None:
        """The second conversation finds the contact that the first one creates."""
        assert crm.contact
        leads = [crm.leads.ordinary(number, visitor=1) for number in (1, 2)]
        receipts = delivered(connector, *leads)
        holds_once(crm, *leads)
        contact = held_once(crm, crm.contact, key_of(crm, crm.contact, leads[0]))
        assert [receipt.ids[crm.contact.name] for receipt in receipts] == [contact.id, contact.id]


class PartialSuccessCases(Cases):
    """The CRM answers record by record, and not always as documented."""

    @needs(Capability.PARTIAL_SUCCESS)
    def test_a_refused_record_spares_its_companions(self, crm: Harness, connector: Connector) -> None:
        """The refused lead is dead with the CRM's message, the others are delivered."""
        for number, shape in enumerate(crm.shapes):
            leads = [crm.leads.ordinary(10 * number + n) for n in range(1, 4)]
            crm.misbehave(Trouble.RECORD_REFUSED, key=key_of(crm, shape, leads[1]))
            first, bad, last = outcomes(connector, leads)
            crm.behave()
            assert isinstance(bad, PermanentFailure), f"a refused {shape.name} came out as {bad!r}"
            assert bad.crm_message, "the CRM's message is missing"
            for lead, outcome in ((leads[0], first), (leads[2], last)):
                assert isinstance(outcome, Receipt), f"a companion came out as {outcome!r}"
                holds_receipts(crm, [lead], [outcome])

    @needs(Capability.PARTIAL_SUCCESS)
    def test_a_locked_record_is_tried_again(self, crm: Harness, connector: Connector) -> None:
        """A lock lasts seconds and is not caused by the lead."""
        leads = crm.leads.several(3)
        crm.misbehave(Trouble.RECORD_BUSY, key=key_of(crm, crm.shapes[0], leads[1]))
        first, busy, last = outcomes(connector, leads)
        crm.behave()
        assert isinstance(first, Receipt)
        assert isinstance(busy, TemporaryFailure), f"a locked record came out as {busy!r}"
        assert not isinstance(busy, RateLimited), "a lock is not a rate limit"
        assert isinstance(last, Receipt)
        delivered(connector, leads[1])
        holds_content(crm, *leads)

    @needs(Capability.PARTIAL_SUCCESS)
    def test_results_out_of_order_find_their_leads(self, crm: Harness, connector: Connector) -> None:
        """Results are matched by their keys, not by their position."""
        leads = crm.leads.several(min(5, connector.batch_size))
        crm.misbehave(Trouble.RESULTS_SHUFFLED)
        holds_receipts(crm, leads, delivered(connector, *leads))

    @needs(Capability.PARTIAL_SUCCESS)
    def test_a_missing_result_is_not_a_success(self, crm: Harness, connector: Connector) -> None:
        """A lead without a result is retried, without creating a second record."""
        leads = crm.leads.several(3)
        crm.misbehave(Trouble.RESULT_MISSING, key=key_of(crm, crm.shapes[0], leads[1]))
        found = outcomes(connector, leads)
        crm.behave()
        for lead, outcome in zip(leads, found, strict=True):
            if isinstance(outcome, Receipt):
                holds_receipts(crm, [lead], [outcome])
            else:
                assert isinstance(outcome, TemporaryFailure), f"a missing result came out as {outcome!r}"
        assert isinstance(found[0], Receipt), f"a companion came out as {found[0]!r}"
        assert isinstance(found[2], Receipt), f"a companion came out as {found[2]!r}"
        delivered(connector, *leads)
        holds_content(crm, *leads)

    @needs(Capability.PARTIAL_SUCCESS)
    def test_a_result_too_many_belongs_to_no_lead(self, crm: Harness, connector: Connector) -> None:
        """A record that was not sent concerns no lead."""
        leads = crm.leads.several(2)
        crm.misbehave(Trouble.RESULT_SURPLUS)
        holds_receipts(crm, leads, delivered(connector, *leads))

    @needs(Capability.POISON)
    def test_one_poisoned_lead_does_not_keep_a_full_batch_from_being_delivered(
        self, crm: Harness, connector: Connector
    ) -> None:
        """The batch may fail once; bisected as the engine does it, all but the culprit are delivered."""
        leads = crm.leads.several(min(connector.batch_size, MOST_AT_ONCE))
        culprit = leads[len(leads) // 2]
        crm.misbehave(Trouble.POISONED, key=key_of(crm, crm.shapes[0], culprit))
        final: list[Outcome] = []
        for lead, outcome in zip(leads, outcomes(connector, leads), strict=True):
            final += [outcome] if isinstance(outcome, Receipt) else outcomes(connector, [lead])
            if lead is not culprit:
                assert not isinstance(outcome, PermanentFailure), "a good lead is dead because of another"
        refused = final.pop(leads.index(culprit))
        assert not isinstance(refused, Receipt), "the refused lead came out as delivered"
        holds_receipts(crm, [lead for lead in leads if lead is not culprit], final)
