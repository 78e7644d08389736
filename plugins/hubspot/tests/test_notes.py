"""Conversations where the plan has no custom objects: one note each, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatferry import AuthFailure, Receipt, TemporaryFailure
from chatferry_hubspot.note_bodies import is_marked, note_of
from chatferry_hubspot.notes import TO_CONTACT


def test_a_note_hangs_on_its_contact_and_shows_fields_and_transcript(plain, lead, receipts):
    (receipt,) = receipts(plain.connect(), lead(conversation={"subject": "<Price> & more"}))
    (note,) = plain.records("notes")
    assert receipt.ids["note"] == receipt.ids["conversation"] == note["id"]
    assert "<b>Subject</b>: &lt;Price&gt; &amp; more" in note["hs_note_body"]
    assert "[09:14] Visitor: Hello" in note["hs_note_body"]
    assert note["hs_timestamp"].startswith("2026-11-22T09:14:00")
    assert (note["id"], receipt.ids["contact"]) in plain.links() | {(b, a) for a, b in plain.links()}


def test_the_same_conversation_again_updates_its_note(plain, lead, receipts):
    connector = plain.connect()
    (first,) = receipts(connector, lead())
    receipts(plain.connect(), lead(conversation={"subject": "changed"}))
    (again,) = receipts(connector, replace(lead(conversation={"subject": "twice"}), receipt=first))
    (note,) = plain.records("notes")
    assert "twice" in note["hs_note_body"]
    assert first.created
    assert not again.created


@pytest.mark.parametrize(
    "fault", ["timeout-after-commit=1.2,notes", "reset-after-commit=notes", "html-ok=notes"]
)
def test_a_note_whose_answer_was_lost_is_found_again(plain, lead, deliver, receipts, fault):
    connector = plain.connect(storage="notes")
    connector.check()
    plain.board.switch_on(f"{fault}:x1")
    (lost,) = deliver(connector, lead())
    assert isinstance(lost, TemporaryFailure)
    assert len(plain.records("notes")) == 1
    receipts(plain.connect(storage="notes"), lead(conversation={"subject": "found"}))
    (note,) = plain.records("notes")
    assert "found" in note["hs_note_body"]


def test_a_note_that_never_came_about_is_made_at_the_next_attempt(plain, lead, deliver, receipts):
    connector = plain.connect(storage="notes")
    connector.check()
    plain.board.switch_on("timeout-before-commit=1.2,notes:x1")
    (lost,) = deliver(connector, lead())
    assert isinstance(lost, TemporaryFailure)
    receipts(connector, lead())
    assert len(plain.records("notes")) == 1


def test_a_silent_answer_to_the_search_for_a_lost_note_makes_no_second_one(plain, lead, deliver):
    connector = plain.connect(storage="notes")
    connector.check()
    plain.board.switch_on("reset-after-commit=notes/batch/create:x1")
    deliver(connector, lead())
    plain.board.switch_on("empty-body=associations:x1")
    (outcome,) = deliver(connector, lead())
    assert isinstance(outcome, TemporaryFailure)
    assert len(plain.records("notes")) == 1


def test_a_deleted_note_is_made_again(plain, lead, receipts):
    connector = plain.connect()
    (first,) = receipts(connector, lead(1))
    plain.call("POST", "/crm/objects/2026-09/notes/batch/archive", {"inputs": [{"id": first.ids["note"]}]})
    again, _ = receipts(connector, replace(lead(1), receipt=first), lead(2))
    assert again.ids["note"] != first.ids["note"]
    assert len(plain.records("notes")) == 2


@pytest.fixture(params=["unkeyed", "keyed"])
def noting(request, plain, start):
    """An account that keeps conversations as notes, without and with a unique property on them."""
    return plain if request.param == "unkeyed" else start(plan="professional")


@pytest.mark.parametrize("anonymous", [0, 3])
def test_a_thousand_conversations_as_notes_cost_at_most_thirty_calls(
    noting, request, lead, receipts, anonymous
):
    """Two calls a hundred for notes made with their association, three where that follows an upsert."""
    most = {("unkeyed", 0): 22, ("unkeyed", 3): 26}.get(
        (request.node.callspec.params["noting"], anonymous), 30
    )
    connector = noting.connect(timeout=30)  # a busy machine takes a while for a hundred records
    leads = [lead(n, email=None if anonymous and n % anonymous == 0 else "") for n in range(1000)]

    def everything():
        for start in range(0, 1000, connector.batch_size):
            receipts(connector, *leads[start : start + connector.batch_size])

    calls = noting.calls(everything)
    assert sum(calls.values()) <= most, calls
    assert len(noting.records("notes")) == 1000


def test_with_a_unique_property_notes_are_upserted_by_the_conversations_key(start, lead, deliver, receipts):
    account = start(plan="professional")
    connector = account.connect()
    connector.check()
    account.board.switch_on("reset-after-commit=notes/batch/upsert:x1")
    calls = account.calls(lambda: deliver(connector, lead()))
    receipts(account.connect(), lead())
    (note,) = account.records("notes")
    assert note["chat_conversation_id"] == lead().key
    assert not any("read" in route for route in calls)


def test_a_conversation_that_was_a_note_stays_one_when_the_plan_changes(plain, lead, receipts):
    connector = plain.connect()
    (before,) = receipts(connector, lead(1))
    plain.call("POST", "/_emulator/settings", {"plan": "enterprise"})
    plain.provision()
    after, new = receipts(plain.connect(), replace(lead(1), receipt=before), lead(2))
    assert after.ids["note"] == before.ids["note"]
    assert "note" not in new.ids
    assert len(plain.records("chat_conversation")) == 1


def test_a_long_transcript_is_cut_between_messages_and_the_receipt_says_so(plain, lead, receipts):
    line = "[09:14] Visitor: " + "<&> " * 20 + "\n  and more\n"
    long = lead(conversation={"transcript": line * 2000})
    (receipt,) = receipts(plain.connect(), long)
    body = plain.records("notes")[0]["hs_note_body"]
    assert len(body) <= 65_536
    assert is_marked(body, long.key)
    (remark,) = receipt.notes
    assert "transcript was cut" in remark
    kept = body.count("[09:14]")
    assert f"{kept} of 2000 messages" in remark
    assert f"and more<br>[… cut here: {2000 - kept} more of 2000 messages" in body


def test_a_marker_is_not_taken_for_that_of_a_longer_key(lead):
    note = note_of(lead(10))
    assert is_marked(note.values["hs_note_body"], "ha-1-c10")
    assert not is_marked(note.values["hs_note_body"], "ha-1-c1")


def test_the_choice_can_be_forced(account, lead, receipts):
    (receipt,) = receipts(account.connect(storage="notes"), lead())
    assert isinstance(receipt, Receipt)
    assert account.records("chat_conversation") == []
    assert len(account.records("notes")) == 1


def test_a_permission_that_is_missing_for_a_while_makes_no_note_without_its_key(
    start, lead, deliver, receipts
):
    account = start(plan="professional")
    receipts(account.connect(), lead())
    account.board.switch_on("403=properties:x1")
    (outcome,) = deliver(account.connect(), lead())
    assert isinstance(outcome, AuthFailure)
    receipts(account.connect(), lead())
    assert len(account.records("notes")) == 1


LOST = "reset-after-commit=notes/batch/create:x1"


@pytest.mark.parametrize(
    "silence", ["results-missing=contacts/notes/batch/read", "results-missing=notes/batch/read"]
)
def test_a_note_that_a_search_leaves_out_is_not_made_again(plain, lead, deliver, receipts, silence):
    connector = plain.connect(storage="notes")
    connector.check()
    plain.board.switch_on(LOST)
    deliver(connector, lead())
    plain.board.switch_on(f"{silence}:x1")
    (outcome,) = deliver(connector, lead())
    assert isinstance(outcome, TemporaryFailure)
    receipts(connector, lead())
    assert len(plain.records("notes")) == 1


def test_a_search_that_fails_for_a_contact_in_the_middle_of_a_batch_makes_no_note_again(
    plain, lead, deliver, receipts
):
    """HubSpot answers 207 and reports its own failure where the contact's notes should be."""
    connector = plain.connect(storage="notes")
    connector.check()
    plain.board.switch_on(LOST)
    deliver(connector, lead())
    error = {"status": "error", "category": "INTERNAL_ERROR", "message": "internal error"}
    plain.answer_once(
        "contacts/notes/batch/read", 207, {"status": "COMPLETE", "results": [], "errors": [error]}
    )
    (outcome,) = deliver(connector, lead())
    assert isinstance(outcome, TemporaryFailure)
    assert outcome.code == "INTERNAL_ERROR"
    receipts(connector, lead())
    assert len(plain.records("notes")) == 1


def test_a_lost_note_is_found_on_the_second_page_of_its_contact(plain, lead, deliver, receipts):
    connector = plain.connect(storage="notes")
    (first,) = receipts(connector, lead(1, email="ana@example.com"))
    ends = {"to": {"id": first.ids["contact"]}, "types": [TO_CONTACT]}
    other = {"properties": {"hs_timestamp": "2026-11-22T09:14:00Z"}, "associations": [ends]}
    for _ in range(5):
        plain.call("POST", "/crm/objects/2026-09/notes/batch/create", {"inputs": [other] * 100})
    plain.board.switch_on(LOST)
    deliver(connector, lead(2, email="ana@example.com"))
    receipts(connector, lead(2, email="ana@example.com"))
    assert len(plain.records("notes")) == 502


def empty(account, kind):
    for one in account.records(kind):
        account.call("DELETE", f"/crm/objects/2026-09/{kind}/{one['id']}")


def test_a_contact_that_is_removed_before_its_note_is_made_lets_the_lead_wait(plain, lead, deliver, receipts):
    connector = plain.connect(storage="notes")
    connector.check()
    plain.before("notes/batch/create", lambda: empty(plain, "contacts"))
    outcomes = deliver(connector, lead(1), lead(2))
    assert all(isinstance(outcome, TemporaryFailure) for outcome in outcomes)
    receipts(connector, lead(1), lead(2))
    assert len(plain.records("notes")) == 2


def test_notes_whose_unique_property_is_taken_away_wait_for_it(start, lead, deliver, receipts):
    account = start(plan="professional")
    connector = account.connect()
    receipts(connector, lead(1))
    account.call("DELETE", "/crm/properties/2026-09/notes/chat_conversation_id")
    for again in (connector, account.connect()):
        (outcome,) = deliver(again, lead(1))
        assert isinstance(outcome, TemporaryFailure)
        assert "provision" in str(outcome)
    account.provision()
    receipts(account.connect(), lead(2))


def test_a_visitor_who_turns_out_to_be_another_contact_takes_the_note_along(plain, lead, receipts):
    connector = plain.connect()
    (before,) = receipts(connector, lead(email="anna@exmaple.com"))
    (after,) = receipts(connector, replace(lead(email="anna@example.com"), receipt=before))
    assert after.ids["note"] == before.ids["note"]
    assert after.ids["contact"] != before.ids["contact"]
    assert plain.links() == {(after.ids["note"], after.ids["contact"])}


@pytest.mark.parametrize("refused", [False, True])
def test_leads_of_one_conversation_in_a_batch_are_one_note(noting, lead, deliver, refused):
    connector = noting.connect(storage="notes")
    connector.check()
    if refused:
        noting.board.switch_on("400=notes/batch:x1")
    both = [lead(conversation={"subject": "first"}), lead(conversation={"subject": "second"})]
    outcomes = deliver(connector, *both)
    assert [isinstance(outcome, Receipt) for outcome in outcomes] == [not refused] * 2
    notes = noting.records("notes")
    assert len(notes) == (0 if refused else 1)
    assert all("second" in note["hs_note_body"] for note in notes)
    assert len(noting.links()) == len(notes)


def test_a_create_that_reports_an_error_of_no_record_is_not_sent_again(plain, lead, deliver, receipts):
    connector = plain.connect(storage="notes")
    connector.check()
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "one of the records is invalid"}
    plain.answer_once("notes/batch/create", 207, {"results": [], "errors": [error]})
    leads = [lead(1), lead(2)]
    calls = plain.calls(lambda: deliver(connector, *leads))
    assert not any("notes/batch/create" in route for route in calls)
    receipts(connector, *leads)
    assert len(plain.records("notes")) == 2
