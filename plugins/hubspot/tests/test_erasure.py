"""A visitor who asks to be forgotten: by ids alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatferry import DeliveryError, Receipt, TemporaryFailure


@pytest.mark.parametrize("storage", ["custom-object", "notes"])
def test_the_records_of_a_receipt_go_and_no_others(account, lead, receipts, storage):
    connector = account.connect(storage=storage)
    gone, kept = receipts(connector, lead(1), lead(2))
    assert connector.erase([gone]) == [gone]
    assert [one["id"] for one in account.records("contacts")] == [kept.ids["contact"]]
    kind = "notes" if storage == "notes" else "chat_conversation"
    assert [one["id"] for one in account.records(kind)] == [kept.ids["conversation"]]


def test_what_is_gone_already_is_a_success(account, lead, receipts):
    connector = account.connect()
    both = receipts(connector, lead(1), lead(2))
    connector.erase(both)
    assert connector.erase(both) == both
    assert connector.erase([Receipt(ids={"contact": "999999"})]) == [Receipt(ids={"contact": "999999"})]


def test_an_erasure_that_fails_says_so_and_can_be_repeated(account, lead, receipts):
    connector = account.connect()
    both = receipts(connector, lead(1), lead(2))
    account.board.switch_on("500=contacts/batch/archive:x1")
    assert all(isinstance(outcome, TemporaryFailure) for outcome in connector.erase(both))
    assert not any(isinstance(outcome, DeliveryError) for outcome in connector.erase(both))
    assert account.records("contacts") == []


def test_an_anonymous_contact_the_visitor_was_before_goes_too(account, lead, receipts):
    connector = account.connect()
    known = account.create("contacts", email="ana@example.com")
    (before,) = receipts(connector, lead(email=None, visitor="web-7", phone="+33 1"))
    (after,) = receipts(connector, replace(lead(email="ana@example.com", visitor="web-7"), receipt=before))
    assert after.ids["contact"] == known
    assert connector.erase([after]) == [after]
    assert account.records("contacts") == []
