"""What an answer leaves out is unknown, and nothing is created or filled because of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatferry import Receipt, Record, TemporaryFailure

LOOKING = {"fill_if_empty": {"city": "Oslo"}, "create_only": {"company": "NEW"}}


def test_a_contact_that_is_left_out_of_an_answer_is_not_taken_for_a_new_one(account, lead, deliver, receipts):
    account.create("contacts", email="visitor1@example.com", city="Sofia", company="ACME")
    connector = account.connect()
    account.board.switch_on("results-missing=contacts/batch/read:x1")
    omitted, written = deliver(connector, lead(1, **LOOKING), lead(2))
    assert isinstance(omitted, TemporaryFailure)
    assert isinstance(written, Receipt)
    receipts(connector, lead(1, **LOOKING))
    held = {one["email"]: one for one in account.records("contacts")}["visitor1@example.com"]
    assert (held["city"], held["company"]) == ("Sofia", "ACME")


def test_a_conversation_that_is_left_out_of_an_answer_keeps_what_it_holds(account, lead, deliver, receipts):
    connector = account.connect()
    receipts(connector, lead(conversation={"language": "bg"}))
    card = lead().records["conversation"]
    records = {**lead().records, "conversation": Record(values=card.values, create_only={"language": "en"})}
    kind = account.call("GET", "/_emulator/state")["schemas"][0]["objectTypeId"]
    account.board.switch_on(f"results-missing={kind}/batch/read:x1")
    (outcome,) = deliver(connector, replace(lead(), records=records))
    assert isinstance(outcome, TemporaryFailure)
    assert account.records("chat_conversation")[0]["language"] == "bg"


@pytest.mark.parametrize("fault", ["400", "422", "409", "414", "500", "empty-body", "no-trace-ids"])
def test_a_read_that_fails_makes_no_lead_dead(account, lead, deliver, receipts, fault):
    connector = account.connect(lifecycle_stage="lead")
    account.board.switch_on(f"{fault}=contacts/batch/read:x1")
    for one in deliver(connector, lead()):
        assert isinstance(one, Receipt | TemporaryFailure)
    receipts(connector, lead())


def test_a_read_that_is_refused_for_one_name_does_not_delay_the_others(account, lead, deliver):
    """The whole call is refused once, and so it is asked by halves."""
    account.board.switch_on("400=contacts/batch/read:x1")
    leads = [lead(n, **LOOKING) for n in range(8)]
    assert all(isinstance(outcome, Receipt) for outcome in deliver(account.connect(), *leads))


@pytest.mark.parametrize("looks", [{}, LOOKING], ids=["without a look", "with a look"])
def test_a_contact_known_by_a_second_address_loses_none_of_them(account, lead, receipts, looks):
    winner = account.create("contacts", email="new@example.com", city="Sofia", company="ACME")
    lost = account.create("contacts", email="old@example.com")
    merge = {"primaryObjectId": winner, "objectIdToMerge": lost}
    account.call("POST", "/crm/objects/2026-09/contacts/merge", merge)
    (receipt,) = receipts(account.connect(), lead(email="old@example.com", firstname="Ana", **looks))
    (contact,) = account.records("contacts")
    assert receipt.ids["contact"] == contact["id"] == winner
    assert (contact["firstname"], contact["city"], contact["company"]) == ("Ana", "Sofia", "ACME")
    assert {contact["email"], contact["hs_additional_emails"]} == {"new@example.com", "old@example.com"}
    if looks:
        assert contact["email"] == "new@example.com"


def test_two_addresses_of_one_contact_in_a_batch_are_written_one_after_the_other(
    account, lead, deliver, receipts
):
    winner = account.create("contacts", email="new@example.com")
    for name in ("old", "older"):
        lost = account.create("contacts", email=f"{name}@example.com")
        merge = {"primaryObjectId": winner, "objectIdToMerge": lost}
        account.call("POST", "/crm/objects/2026-09/contacts/merge", merge)
    both = [lead(n, email=f"{name}@example.com", **LOOKING) for n, name in enumerate(("old", "older"))]
    connector = account.connect()
    outcomes = deliver(connector, *both)
    assert sum(isinstance(outcome, TemporaryFailure) for outcome in outcomes) == 1
    receipts(
        connector, *(one for one, got in zip(both, outcomes, strict=True) if not isinstance(got, Receipt))
    )
    assert account.records("contacts")[0]["email"] == "new@example.com"
