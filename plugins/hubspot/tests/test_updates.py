"""Leads of which iAdvize shows less than before, an erased visitor's say: update, create nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatferry import AuthFailure, Receipt, Record, TemporaryFailure


def shown(lead, receipt, contact=None, conversation=None):
    """Return the lead as the engine queues it once its visitor is erased."""
    records = {"contact": Record(values=contact or {}), "conversation": Record(values=conversation or {})}
    return replace(lead, receipt=receipt, records=records, update_only=True)


def test_late_news_of_an_erased_visitor_updates_the_conversation_alone(account, lead, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead(firstname="Ada"))
    (after,) = receipts(connector, shown(lead(), before, conversation={"subject": "rated 9"}))
    assert after.ids == before.ids
    (contact,) = account.records("contacts")
    (conversation,) = account.records("chat_conversation")
    assert (contact["firstname"], conversation["subject"]) == ("Ada", "rated 9")
    assert conversation["transcript"] == "[09:14] Visitor: Hello"
    assert account.links() >= {(conversation["id"], contact["id"])}


def test_what_the_mapping_clears_is_cleared_in_the_same_contact(account, lead, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead(firstname="Ada"))
    receipts(connector, shown(lead(), before, contact={"firstname": None}))
    (contact,) = account.records("contacts")
    assert not contact.get("firstname")
    assert contact["email"] == "visitor1@example.com"


def test_what_was_removed_is_not_made_again(account, lead, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead())
    connector.erase([before])
    (after,) = receipts(connector, shown(lead(), before, conversation={"subject": "rated 9"}))
    assert after.notes == ("a record that was removed from HubSpot is not made again",)
    assert account.records("contacts") == account.records("chat_conversation") == []


def test_a_note_is_left_as_it_is(plain, lead, receipts):
    connector = plain.connect(storage="notes")
    (before,) = receipts(connector, lead())
    (note,) = plain.records("notes")
    (after,) = receipts(connector, shown(lead(), before, conversation={"subject": "rated 9"}))
    assert after.notes == ("the note is left as it is",)
    assert plain.records("notes") == [note]


def test_fields_to_be_filled_are_filled_where_they_are_empty(account, lead, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead(firstname="Ada"))
    fields = {"firstname": "Eve", "company": "Acme"}
    narrowed = shown(lead(), before)
    records = {**narrowed.records, "contact": Record(fill_if_empty=fields)}
    receipts(connector, replace(narrowed, records=records))
    (contact,) = account.records("contacts")
    assert (contact["firstname"], contact["company"]) == ("Ada", "Acme")


def test_new_leads_beside_it_are_written_and_every_outcome_is_in_its_place(account, lead, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead(1))
    first, second, third = receipts(connector, lead(2), shown(lead(1), before), lead(3))
    assert second.ids == before.ids
    assert len({first.ids["contact"], second.ids["contact"], third.ids["contact"]}) == 3
    assert len(account.records("contacts")) == 3


@pytest.mark.parametrize(
    ("fault", "kind"), [("500=batch/read:x1", TemporaryFailure), ("403:x1", AuthFailure)]
)
def test_a_failure_is_the_outcome(account, lead, receipts, deliver, fault, kind):
    connector = account.connect()
    (before,) = receipts(connector, lead())
    account.board.switch_on(fault)
    (outcome,) = deliver(connector, shown(lead(), before, conversation={"subject": "rated 9"}))
    assert isinstance(outcome, kind)


def test_without_a_receipt_there_is_nothing_to_update(account, lead, receipts):
    (after,) = receipts(account.connect(), shown(lead(), None))
    assert after == Receipt()
    assert account.records("contacts") == []
