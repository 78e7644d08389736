"""Every row of HubSpot's error table, over real HTTP, and what the engine gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatferry import AuthFailure, PermanentFailure, QuotaExhausted, RateLimited, Receipt, TemporaryFailure

AWAY = ["500", "502", "503", "504", "521", "522", "523", "524", "bare-error", "html-ok", "empty-body"]
LOST = ["timeout-before-commit=1.2", "timeout-after-commit=1.2", "reset-before-commit", "reset-after-commit"]
BROKEN = ["truncated", "cut-json"]
WRITES = ["contacts", "chat_conversation", "associations"]


def aimed(fault: str, part: str) -> str:
    return f"{fault}{',' if '=' in fault else '='}{part}"


@pytest.mark.parametrize("fault", AWAY + LOST + BROKEN)
def test_what_is_not_the_leads_fault_is_tried_again_and_leaves_one_record(
    account, lead, deliver, receipts, fault
):
    """At each of the three calls a delivery makes: contacts, conversations, associations."""
    kinds = {
        record["name"]: record["objectTypeId"]
        for record in account.call("GET", "/_emulator/state")["schemas"]
    }
    connector = account.connect(storage="custom-object", object=kinds["chat_conversation"])
    for number, part in enumerate(("contacts/batch", kinds["chat_conversation"] + "/batch", "associate")):
        account.board.switch_on(aimed(fault, part) + ":x1")
        (outcome,) = deliver(connector, lead(number))
        assert isinstance(outcome, TemporaryFailure), f"{part}: {outcome!r}"
        assert not isinstance(outcome, RateLimited)
    leads = [lead(number) for number in range(3)]
    receipts(connector, *leads)
    assert len(account.records("contacts")) == len(account.records("chat_conversation")) == 3


@pytest.mark.parametrize(
    ("fault", "wait"), [("429-burst", 10), ("429-burst=7", 7), ("429-secondly", 1), ("429-secondly=3", 3)]
)
def test_a_limit_of_seconds_asks_for_a_slower_pace(account, lead, deliver, fault, wait):
    account.board.switch_on(fault)
    (outcome,) = deliver(account.connect(), lead())
    assert isinstance(outcome, RateLimited)
    assert outcome.retry_after == wait


def test_a_used_up_day_pauses_until_the_accounts_midnight(account, lead, deliver):
    account.board.switch_on("429-daily")
    (known,) = deliver(account.connect(time_zone="Asia/Tokyo"), lead())
    (unknown,) = deliver(account.connect(), lead())
    assert isinstance(known, QuotaExhausted)
    assert known.until.astimezone(UTC).hour == 15
    assert datetime.now(UTC) < known.until <= datetime.now(UTC) + timedelta(days=1)
    assert timedelta(minutes=59) < unknown.until - datetime.now(UTC) <= timedelta(hours=1)


def test_after_a_limit_nothing_more_is_sent(account, lead, deliver):
    connector = account.connect()
    connector.check()
    account.board.switch_on("429-burst")
    mixed = [lead(1), lead(2, email=None)]
    calls = account.calls(lambda: deliver(connector, *mixed))
    assert sum(calls.values()) == 1


@pytest.mark.parametrize(("fault", "least"), [("423", 2), ("477", 3600), ("477=7200", 7200)])
def test_a_lock_and_a_move_say_how_long(account, lead, deliver, fault, least):
    account.board.switch_on(fault)
    (outcome,) = deliver(account.connect(), lead())
    assert type(outcome) is TemporaryFailure
    assert outcome.retry_after >= least


def test_a_refused_token_and_missing_scopes_stop_the_destination(account, lead, deliver):
    connector = account.connect(storage="notes")
    account.board.switch_on("401")
    (refused,) = deliver(connector, lead())
    account.board.switch_off()
    account.board.switch_on("403=contacts/batch")
    (forbidden,) = deliver(connector, lead())
    assert isinstance(refused, AuthFailure)
    assert isinstance(forbidden, AuthFailure)
    assert "crm.objects.contacts.write" in str(forbidden)
    assert forbidden.code == "MISSING_SCOPES"


@pytest.mark.parametrize("fault", ["400", "414", "422"])
def test_refused_data_is_dead_with_hubspots_message_and_reference(account, lead, deliver, fault):
    account.board.switch_on(aimed(fault, "contacts"))
    (outcome,) = deliver(account.connect(), lead())
    assert isinstance(outcome, PermanentFailure)
    assert outcome.crm_message
    assert outcome.reference
    assert "example.com" not in str(outcome)


def test_a_refusal_of_a_whole_call_for_no_reason_makes_no_lead_dead(account, lead, receipts):
    """The first call is refused without a name: its halves pass."""
    account.board.switch_on("400=contacts:x1")
    assert len(receipts(account.connect(), *(lead(n) for n in range(10)))) == 10


@pytest.mark.parametrize("fault", ["reversed", "no-trace-ids", "results-extra"])
def test_results_find_their_leads_however_they_come(account, lead, receipts, fault):
    account.board.switch_on(fault)
    leads = [lead(n, email=None if n % 2 else "") for n in range(10)]
    found = receipts(account.connect(), *leads)
    ids = {one["conversation_id"]: one["id"] for one in account.records("chat_conversation")}
    assert [receipt.ids["conversation"] for receipt in found] == [ids[one.key] for one in leads]


@pytest.mark.parametrize("fault", ["partial-207", "errors-in-200", "results-missing"])
def test_what_is_reported_of_one_record_concerns_one_lead(account, lead, deliver, receipts, fault):
    connector = account.connect()
    account.board.switch_on(aimed(fault, "contacts") + ":x1")
    leads = [lead(n) for n in range(10)]
    outcomes = deliver(connector, *leads)
    assert sum(isinstance(outcome, Receipt) for outcome in outcomes) == 9
    assert sum(isinstance(outcome, TemporaryFailure) for outcome in outcomes) == 1
    receipts(connector, *leads)
    assert len(account.records("contacts")) == len(account.records("chat_conversation")) == 10


NAMELESS = {"status": "error", "category": "VALIDATION_ERROR", "message": "one of the records is invalid"}


def test_an_error_that_names_no_record_is_narrowed_down_and_nothing_is_written_twice(account, lead, deliver):
    """HubSpot answers for half of the records, and reports an error without a trace id for the rest."""
    connector = account.connect()
    connector.check()
    known = [account.create("contacts", email=f"visitor{n}@example.com") for n in range(4)]
    results = [{"id": known[n], "properties": {"email": f"visitor{n}@example.com"}} for n in (0, 1)]
    account.answer_once("contacts/batch/upsert", 207, {"results": results, "errors": [NAMELESS]})
    outcomes: list[Receipt] = []
    calls = account.calls(lambda: outcomes.extend(deliver(connector, *(lead(n) for n in range(4)))))
    assert [outcome.ids["contact"] for outcome in outcomes] == known
    assert calls["POST /crm/objects/2026-09/contacts/batch/upsert"] == 1  # the first was answered on its way


def test_an_error_that_names_no_record_is_that_of_the_only_one(account, lead, deliver):
    connector = account.connect()
    connector.check()
    account.answer_once("contacts/batch/upsert", 207, {"results": [], "errors": [NAMELESS]})
    (outcome,) = deliver(connector, lead())
    assert isinstance(outcome, PermanentFailure)
    assert outcome.crm_message == NAMELESS["message"]
