"""Conversations as a custom object: three calls a hundred, associated with their contacts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chatferry import AuthFailure, PermanentFailure, Receipt, TemporaryFailure
from chatferry.leads.mapping import compile_mapping
from chatferry.model import Satisfaction
from chatferry.settings.model import FieldSettings
from chatferry_hubspot.connector import HubSpot

MOMENT = datetime(2026, 11, 22, 9, 14, tzinfo=UTC)


def test_a_conversation_is_found_by_its_key_and_associated_with_its_contact(account, lead, receipts):
    connector = account.connect()
    (first,) = receipts(connector, lead())
    (second,) = receipts(connector, lead(conversation={"subject": "changed"}))
    (held,) = account.records("chat_conversation")
    assert held["conversation_id"] == lead().key
    assert held["subject"] == "changed"
    assert (first.created, second.created) == (True, False)
    associations = account.links() | {(b, a) for a, b in account.links()}
    assert (held["id"], first.ids["contact"]) in associations


@pytest.mark.parametrize("anonymous", [0, 3, 2, 1])
def test_a_thousand_conversations_cost_at_most_thirty_calls(account, lead, receipts, anonymous):
    """None, every third, every second or every visitor without an address; no search, no single read."""
    connector = account.connect(timeout=30)  # a busy machine takes a while for a hundred records
    leads = [
        lead(n, email=None if anonymous and n % anonymous == 0 else "", visitor=f"web-{n}")
        for n in range(1000)
    ]

    def everything():
        for start in range(0, 1000, connector.batch_size):
            receipts(connector, *leads[start : start + connector.batch_size])

    calls = account.calls(everything)
    assert sum(calls.values()) <= 30
    assert len(account.records("chat_conversation")) == len(account.records("contacts")) == 1000
    assert not any("search" in route or "{" in route.replace("{to}", "") for route in calls)


def test_what_is_associated_already_is_not_associated_again(account, lead, receipts):
    connector = account.connect()
    (receipt,) = receipts(connector, lead())
    calls = account.calls(lambda: receipts(connector, replace(lead(), receipt=receipt)))
    assert sum(calls.values()) == 2


def test_a_failed_association_is_tried_again_without_a_second_record(account, lead, deliver, receipts):
    connector = account.connect()
    account.board.switch_on("500=associations:x1")
    (failed,) = deliver(connector, lead())
    assert isinstance(failed, TemporaryFailure)
    receipts(connector, lead())
    assert len(account.records("chat_conversation")) == 1
    assert account.links()


def test_a_long_transcript_is_cut_at_the_limit_and_the_receipt_says_so(account, lead, receipts):
    transcript = "".join(f"[09:{n % 60:02}] Visitor: message {n} 👍\n" for n in range(5000))
    (receipt,) = receipts(account.connect(), lead(conversation={"transcript": transcript}))
    held = account.records("chat_conversation")[0]["transcript"]
    assert len(held.encode("utf-16-le")) // 2 <= 65_536
    whole, _, remark = held.rpartition("\n")
    assert transcript.startswith(f"{whole}\n")
    assert remark.startswith("[… cut here: ")
    assert "transcript was cut at HubSpot's 65,536 characters" in receipt.notes[0]


def test_a_refusal_that_names_no_record_is_narrowed_down(account, lead, deliver):
    """A property that does not exist is refused for the whole call, not for one input."""
    leads = [lead(n, conversation={"no_such_property": "x"} if n == 70 else {}) for n in range(100)]
    connector = account.connect(strict=True)
    outcomes: list[object] = []
    calls = account.calls(lambda: outcomes.extend(deliver(connector, *leads)))
    assert isinstance(outcomes[70], PermanentFailure)
    assert "no_such_property" in f"{outcomes[70]} {outcomes[70].crm_message}"
    assert sum(isinstance(outcome, Receipt) for outcome in outcomes) == 99
    assert sum(calls.values()) <= 4 + 2 * 7


def test_a_custom_object_that_is_asked_for_and_missing_makes_the_leads_wait(plain, lead, deliver):
    (outcome,) = deliver(plain.connect(storage="custom-object"), lead())
    assert isinstance(outcome, TemporaryFailure)
    assert "provision" in str(outcome)
    assert plain.records("notes") == []


def test_the_connectors_own_mapping_fits_what_provision_makes(account, lead, receipts):
    fields = {
        name: {field: FieldSettings(expression=expression) for field, expression in mapped.items()}
        for name, mapped in HubSpot.mapping.items()
    }
    mapped = compile_mapping(fields, destination="crm")
    chat = replace(
        lead().conversation, created_at=MOMENT, closed_at=MOMENT, satisfaction=Satisfaction(csat=5)
    )
    bare = replace(lead(), conversation=chat, records={})
    receipts(account.connect(), replace(bare, records=mapped.records(bare)))
    (held,) = account.records("chat_conversation")
    assert held["subject"] == "Conversation c1"
    assert held["closed_at"].startswith("2026-11-22T09:14:00")
    assert held["satisfaction"] == "5"
    assert account.records("contacts")[0]["email"] == "visitor1@example.com"


def test_a_permission_that_is_missing_for_a_while_turns_nothing_into_notes(account, lead, deliver, receipts):
    receipts(account.connect(), lead(1))
    account.board.switch_on("403=schemas:x1")
    restarted = account.connect()
    (outcome,) = deliver(restarted, lead(2))
    assert isinstance(outcome, AuthFailure)
    receipts(restarted, lead(2))
    assert account.records("notes") == []


def test_an_object_that_is_deleted_while_we_run_makes_the_leads_wait(account, lead, deliver, receipts):
    connector = account.connect()
    receipts(connector, lead(1))
    for one in account.records("chat_conversation"):
        account.call("DELETE", f"/crm/objects/2026-09/chat_conversation/{one['id']}")
    account.call("DELETE", "/crm-object-schemas/2026-09/schemas/chat_conversation")
    leads = [lead(n) for n in range(2, 12)]
    for _ in range(2):
        outcomes = deliver(connector, *leads)
        assert all(isinstance(outcome, TemporaryFailure) for outcome in outcomes)
        assert all("provision" in str(outcome) for outcome in outcomes)
    account.provision()
    receipts(connector, *leads)
    assert account.records("notes") == []
    assert len(account.records("chat_conversation")) == 10


def test_an_unknown_type_id_makes_the_leads_wait(account, lead, deliver):
    connector = account.connect(object="2-999")
    calls = account.calls(lambda: deliver(connector, lead(1), lead(2)))
    (outcome, _) = deliver(connector, lead(1), lead(2))
    assert isinstance(outcome, TemporaryFailure)
    assert outcome.crm_message == "Unable to infer object type from: 2-999"
    assert sum(calls.values()) == 2
    assert any("has not the object" in finding.message for finding in connector.check())


def test_where_the_type_id_is_set_the_account_is_not_asked(account, lead, receipts):
    kind = account.call("GET", "/_emulator/state")["schemas"][0]["objectTypeId"]
    connector = account.connect(object=kind)
    calls = account.calls(lambda: (receipts(connector, lead()), connector.check()))
    assert not any("schemas" in route for route in calls)


@pytest.mark.parametrize("provisioned", [None, "object"])
def test_a_forgotten_provision_makes_the_leads_wait_and_costs_a_call_each_way(
    start, lead, deliver, receipts, provisioned
):
    account = start(provisioned=False)
    if provisioned:
        account.provision()
        account.call("DELETE", "/crm/properties/2026-09/contacts/chat_visitor_id")
    connector = account.connect(timeout=30)
    connector.check()
    leads = [lead(n, email=None if n % 2 else "") for n in range(100)]
    outcomes: list[object] = []
    calls = account.calls(lambda: outcomes.extend(deliver(connector, *leads)))
    assert all(isinstance(outcome, TemporaryFailure) for outcome in outcomes)
    assert sum(calls.values()) == 2
    account.provision()
    receipts(account.connect(timeout=30), *leads)


def test_a_key_of_conversations_that_is_taken_away_makes_the_leads_wait(account, lead, deliver):
    account.call("DELETE", "/crm/properties/2026-09/chat_conversation/conversation_id")
    outcomes = deliver(account.connect(), lead(1), lead(2))
    assert all(isinstance(outcome, TemporaryFailure) for outcome in outcomes)
    assert "check" in str(outcomes[0])


def test_a_visitor_who_turns_out_to_be_another_contact_takes_the_conversation_along(account, lead, receipts):
    """A corrected address: only the new contact has the conversation, and erase knows both."""
    connector = account.connect()
    (before,) = receipts(connector, lead(email="anna@exmaple.com"))
    (after,) = receipts(connector, replace(lead(email="anna@example.com"), receipt=before))
    assert account.links() == {(after.ids["conversation"], after.ids["contact"])}
    assert after.ids["former_contacts"] == before.ids["contact"]
    (later,) = receipts(connector, replace(lead(email="anna@example.com"), receipt=after))
    assert later.ids == after.ids
    assert connector.erase([later]) == [later]
    assert account.records("contacts") == account.records("chat_conversation") == []


def test_an_association_that_cannot_be_removed_is_tried_again(account, lead, deliver, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead(email="anna@exmaple.com"))
    corrected = replace(lead(email="anna@example.com"), receipt=before)
    account.board.switch_on("500=0-1/batch/archive:x1")
    (outcome,) = deliver(connector, corrected)
    assert isinstance(outcome, TemporaryFailure)
    (after,) = receipts(connector, corrected)
    assert account.links() == {(after.ids["conversation"], after.ids["contact"])}


def test_a_merge_of_the_two_contacts_leaves_the_conversation_associated(account, lead, receipts):
    connector = account.connect()
    (before,) = receipts(connector, lead(email="anna@exmaple.com"))
    winner = account.create("contacts", email="anna@example.com")
    merge = {"primaryObjectId": winner, "objectIdToMerge": before.ids["contact"]}
    account.call("POST", "/crm/objects/2026-09/contacts/merge", merge)
    (after,) = receipts(connector, replace(lead(email="anna@example.com"), receipt=before))
    assert account.links() == {(after.ids["conversation"], winner)}


def test_a_bad_lead_does_not_drag_the_other_lead_of_its_conversation_along(account, lead, deliver):
    bad, good = lead(conversation={"no_such_property": "x"}), lead(conversation={"subject": "changed"})
    outcomes = deliver(account.connect(strict=True), bad, good)
    assert isinstance(outcomes[0], PermanentFailure)
    assert isinstance(outcomes[1], Receipt)
    (held,) = account.records("chat_conversation")
    assert held["subject"] == "changed"
