from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chatferry.leads.extraction import lead_of
from chatferry.ledger.snapshot import (
    SnapshotUnreadable,
    dump_lead,
    dump_receipt,
    fingerprint,
    load_lead,
    load_receipt,
)
from chatferry.model import Receipt, Record
from chatferry.testing import make_lead
from chatferry.testing.conversations import samples

SOUND = {name: conversation for name, conversation in samples().items() if name != "hostile"}


@pytest.mark.parametrize("conversation", SOUND.values(), ids=SOUND)
def test_a_lead_comes_back_as_it_was(conversation):
    lead = replace(lead_of(conversation, {}), records={"contact": Record(values={"a": None, "b": 1.5})})
    bare = replace(lead, receipt=None, conversation=replace(lead.conversation, raw={}))
    assert load_lead(dump_lead(lead)) == bare


def test_what_no_database_holds_is_replaced_and_the_rest_kept():
    half, huge = "Zoe \ud83d", 2**70
    lead = replace(make_lead(), records={"contact": Record(values={"a": half, "b": huge, "c": "Zoé 😀"})})
    kept = load_lead(dump_lead(lead)).records["contact"].values
    assert kept == {"a": "Zoe ?", "b": "1180591620717411303424", "c": "Zoé 😀"}
    assert len(fingerprint(lead)) == 64


def test_a_hostile_conversation_comes_back_with_every_message():
    lead = lead_of(samples()["hostile"], {})
    back = load_lead(dump_lead(lead))
    assert [message.id for message in back.conversation.messages] == [
        message.id for message in lead.conversation.messages
    ]


def test_dates_in_records_come_back_as_dates():
    at = datetime(2026, 11, 22, 9, 14, 3, tzinfo=UTC)
    lead = replace(make_lead(), records={"contact": Record(values={"Since": at, "Name": "2026-11-22"})})
    assert load_lead(dump_lead(lead)).records["contact"].values == {"Since": at, "Name": "2026-11-22"}


def test_a_receipt_comes_back_as_it_was():
    receipt = Receipt(ids={"contact": "12"}, url="https://crm.example/12", created=True, notes=("cut",))
    assert load_receipt(dump_receipt(receipt)) == receipt
    assert load_receipt(None) is None


@pytest.mark.parametrize("damaged", ["", "{", '{"ids": {"contact": 12}}', "\ud83d"])
def test_a_damaged_receipt_says_so(damaged):
    with pytest.raises(SnapshotUnreadable, match="damaged"):
        load_receipt(damaged)


def test_the_fingerprint_changes_with_what_the_destination_would_get_and_with_nothing_else():
    lead = make_lead()
    assert fingerprint(lead) == fingerprint(replace(lead, answers={}))
    assert fingerprint(lead) == fingerprint(replace(lead, receipt=Receipt(ids={"contact": "1"})))
    assert fingerprint(lead) != fingerprint(replace(lead, records={"contact": Record(values={"a": 1})}))
    assert fingerprint(lead) != fingerprint(replace(lead, contact_key="another@person.example"))


def test_the_fingerprint_does_not_depend_on_the_order_of_fields():
    one = replace(make_lead(), records={"contact": Record(values={"a": 1, "b": 2})})
    two = replace(make_lead(), records={"contact": Record(values={"b": 2, "a": 1})})
    assert fingerprint(one) == fingerprint(two)


@pytest.mark.parametrize("damaged", [None, b"", b"not compressed", dump_lead(make_lead())[:-5]])
def test_content_that_is_pruned_or_damaged_says_what_to_do(damaged):
    with pytest.raises(SnapshotUnreadable, match="read again"):
        load_lead(damaged)


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (-(2**63), -(2**63)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (2**64 - 1, 2**64 - 1),
        (2**64, str(2**64)),
    ],
)
def test_an_integer_that_no_database_holds_is_kept_as_text(value, held):
    lead = replace(make_lead(), records={"contact": Record(values={"a": value})})
    assert load_lead(dump_lead(lead)).records["contact"].values["a"] == held
