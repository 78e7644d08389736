from __future__ import annotations

import time

from chatferry.ledger.destinations import Pause, PauseKind
from chatferry.ledger.sync_requests import SyncRequest
from chatferry.testing.trouble import Trouble


def test_an_empty_ledger_needs_no_operator(shop):
    result = shop.run("status")
    assert result.exit_code == 0, result.output
    assert "0 events, 0 conversations; 0 to read" in result.stdout


def test_what_waits_and_what_is_delivered_is_counted(shop):
    shop.find_history()
    waiting = shop.json("status")
    assert waiting["reading"]["waiting"] == 6
    assert waiting["reading"]["oldest"] is not None
    shop.engine.sync()
    (queued,) = shop.json("status")["destinations"]
    assert queued["queue"]["waiting"] == 6
    shop.work()
    (done,) = shop.json("status")["destinations"]
    assert done["deliveries"]["delivered"] == 6
    assert done["queue"] == {"waiting": 0, "oldest": None}
    assert done["last_success_at"] is not None


def test_a_dead_delivery_needs_an_operator(shop):
    shop.crm.switch_on(Trouble.RECORD_REFUSED, 1, None)
    shop.find_history()
    shop.work()
    result = shop.run("status")
    assert result.exit_code == 1
    assert "sales: 1 dead" in result.stdout


def test_a_destination_whose_credentials_are_refused_needs_an_operator(shop):
    shop.crm.switch_on(Trouble.CREDENTIALS_REFUSED, None, None)
    shop.find_history()
    shop.work()
    found = shop.json("status")
    assert found["destinations"][0]["paused"]["as"] == "credentials"
    assert "credentials are refused" in found["needs"][0]
    assert shop.run("status").exit_code == 1


def test_a_destination_paused_by_an_operator_needs_no_operator(shop):
    shop.engine.ledger.destinations.pause_by_operator("sales", "a migration")
    result = shop.run("status")
    assert result.exit_code == 0
    assert "a migration" in result.stdout
    assert shop.json("status")["destinations"][0]["paused"] == {
        "as": PauseKind.OPERATOR,
        "reason": "a migration",
        "until": None,
    }


def test_a_lead_that_waits_for_long_shows_since_when_not_until_when(shop):
    shop.crm.switch_on(Trouble.SERVER_ERROR, 1, None)
    shop.find_history()
    shop.engine.sync()
    shop.engine.deliver("sales")
    (found,) = shop.json("status")["destinations"]
    listed = shop.json("deliveries", "--limit", "1")["deliveries"][0]
    assert found["queue"]["oldest"] == listed["queued_at"]
    assert found["paused"]["as"] == "backing-off"


def test_conversations_that_cannot_be_read_are_counted_by_problem(shop, history):
    shop.find_history()
    history.faults.switch_on("late-data=1000000")
    shop.engine.sync()
    problems = shop.json("status")["problems"]
    assert sum(one["conversations"] for one in problems) == 6


def test_an_iadvize_that_refuses_the_login_needs_an_operator(shop, history):
    for one in history.ids:
        shop.hear(one)
    history.faults.switch_on("login-refused")
    shop.engine.sync()
    found = shop.json("status")
    assert (found["reading"]["waiting"], found["reading"]["failed"]) == (6, 6)
    (need,) = found["needs"]
    assert need.startswith(
        "6 conversations waiting: iAdvize refuses the user and password of client 335; check"
    )
    result = shop.run("status")
    assert result.exit_code == 1
    assert "6 to read, 6 of them failed and are read again" in result.stdout


def test_what_has_not_been_read_for_an_hour_needs_an_operator(shop, history, monkeypatch):
    shop.find_history()
    assert shop.json("status")["needs"] == []
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)
    (idle,) = shop.json("status")["needs"]
    assert idle == "6 conversations to be read, the oldest for 1 h; is chatferry running?"
    history.faults.switch_on("server-error=503")
    shop.engine.sync()
    (failing,) = shop.json("status")["needs"]
    assert failing.startswith("conversations cannot be read for 1 h")


def test_a_running_conversation_waits_for_its_time_and_needs_no_operator(shop, history):
    shop.hear(history.ids[0], "v2.conversation.pushed")
    reading = shop.json("status")["reading"]
    assert (reading["waiting"], reading["later"], reading["oldest"]) == (0, 1, None)


def test_no_personal_data_is_shown(shop):
    shop.crm.switch_on(Trouble.RECORD_REFUSED, None, None)
    shop.find_history()
    shop.work()
    assert "@" not in shop.run("status").output


def reconfigure(shop, old, new):
    shop.config.write_text(shop.config.read_text().replace(old, new))


def test_what_waits_for_an_unserved_destination_needs_an_operator(shop):
    shop.find_history()
    shop.engine.sync()
    assert shop.json("status")["needs"] == []
    reconfigure(shop, "[destinations.sales]", "[destinations.sales]\nenabled = false")
    (disabled,) = shop.json("status")["needs"]
    assert disabled == (
        "sales: 6 wait, but sales is disabled, not configured any more or without its plugin: "
        "mend that and restart, or "
        "chatferry discard --state due --destination sales"
    )
    reconfigure(shop, "[destinations.sales]\nenabled = false", "[destinations.other]")
    assert shop.json("status")["needs"] == [disabled]
    assert shop.run("discard", "--state", "due", "--destination", "sales", "--yes").exit_code == 0
    assert shop.json("status")["needs"] == []


def test_a_conversation_that_was_given_up_needs_an_operator(shop, history):
    reconfigure(shop, 'longest = "10ms"', 'longest = "10ms"\ngive_up_after = 0')
    history.faults.switch_on("graphql-errors")
    shop.hear(history.ids[0])
    for _ in range(5):
        shop.engine.sync()
        shop.engine.ledger.conversations.request_sync([the(history.ids[0])])
    shop.engine.sync()
    assert "1 conversation given up" in shop.json("status")["needs"][0]
    assert "it was given up and needs you" in shop.run("why", history.ids[0]).stdout


def the(conversation):
    now = time.time()
    return SyncRequest(platform="ha", client_id=335, conversation_id=conversation, seen_at=now, due_at=now)


def test_a_connector_that_keeps_hanging_needs_an_operator(shop):
    def hang(failures):
        ledger, now = shop.engine.ledger, time.time()
        ledger.destinations.take("sales", ledger.owner, now, now + 60)
        pause = Pause(kind=PauseKind.HUNG, reason="no answer", until=now + 60, failures=failures)
        ledger.destinations.pause("sales", pause)
        return shop.json("status")["needs"]

    assert hang(2) == []
    assert hang(3) == ["sales: its connector does not answer; if that lasts, restart chatferry"]
