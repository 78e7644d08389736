from __future__ import annotations

import uuid

import pytest

from chatferry.errors import ChatferryError
from chatferry.testing.trouble import Trouble


def test_the_history_is_shown_from_the_event_to_the_receipt(shop, history):
    truth = history.truth(history.ids[1])
    shop.hear(history.ids[1])
    shop.work()
    (story,) = shop.json("why", history.ids[1])
    assert [event["event_type"] for event in story["events"]] == ["v2.conversation.closed"]
    assert story["events"][0]["occurred_at"].startswith("2026-11-02T09:30:00")
    assert story["conversation"]["closed_at"] is not None
    (journey,) = story["destinations"]
    answers = {answer["name"]: answer for answer in journey["answers"]}
    assert answers["Q1"]["value"] in truth.answers["Q1"].values
    assert set(truth.answers["Q1"].message_ids) <= set(answers["Q1"]["message_ids"])
    assert journey["records"]["contact"]["values"]["Email"] == truth.email
    assert set(journey["receipt"]["ids"]) == {"contact", "conversation"}
    assert journey["delivered_is_current"]


def test_the_messages_that_no_answer_holds_are_counted(shop, history):
    shop.hear(history.ids[1])
    shop.work()
    (story,) = shop.json("why", history.ids[1])
    more = {answer["name"]: answer["more"] for answer in story["destinations"][0]["answers"]}
    assert more["Q2"]
    assert f"later messages left out: {len(more['Q2'])}" in " ".join(
        shop.run("why", history.ids[1]).stdout.split()
    )


def test_a_conversation_is_found_by_the_key_of_its_delivery(shop, history):
    shop.hear(history.ids[0])
    shop.work()
    by_key = shop.run("why", f"ha-335-{history.ids[0]}").stdout
    assert "v2.conversation.closed, occurred 2026-11-02 09:30:00 UTC, received" in by_key
    assert "sales (delivery 1): delivered" in by_key
    with pytest.raises(ChatferryError):
        raise shop.run("why", f"sd-335-{history.ids[0]}").exception


def test_a_dead_delivery_shows_the_crms_message_and_what_to_do(shop, history):
    shop.crm.switch_on(Trouble.RECORD_REFUSED, 1, None)
    shop.hear(history.ids[0])
    shop.work()
    text = shop.run("why", history.ids[0]).stdout
    assert "the CRM's message: a rule of ours refuses" in text
    assert "code: RULE" in text
    assert "what to do: mend the cause, then: chatferry retry 1" in text


def test_a_lead_that_waits_shows_why_and_until_when(shop, history):
    shop.crm.switch_on(Trouble.QUOTA_SPENT, None, None)
    shop.hear(history.ids[0])
    shop.work()
    text = shop.run("why", history.ids[0]).stdout
    assert "the destination is paused (quota)" in text
    assert "resumes by itself" in text


def test_a_conversation_that_iadvize_does_not_show_has_a_problem(shop, history):
    history.faults.switch_on("late-data=1000000")
    shop.hear(history.ids[0])
    shop.work()
    (story,) = shop.json("why", history.ids[0])
    assert story["conversation"]["problem"]
    assert story["conversation"]["due_at"]
    assert "read again by itself" in story["suggestion"]


def test_an_event_without_consequence_shows_why(shop):
    shop.hear("12345", "conversation.closed")
    (story,) = shop.json("why", "12345")
    assert story["conversation"] is None
    assert "cannot be read" in story["events"][0]["refusal"]
    assert "without consequence" in shop.run("why", "12345").stdout


def test_a_skipped_lead_shows_the_rule(open_shop, history):
    shop = open_shop('channels = ["CALL"]\n')
    shop.find_history()
    shop.work()
    text = shop.run("why", history.ids[1]).stdout
    assert "why: channel CHAT is not among CALL" in text
    assert "retry --resync" in text


def test_an_unknown_conversation_is_an_error(shop):
    result = shop.run("why", str(uuid.uuid4()))
    assert result.exit_code == 1
    assert "chatferry reconcile" in str(result.exception)


def test_terminal_tricks_in_a_visitors_words_do_nothing(shop, history):
    shop.hear(history.ids[0], "satisfaction.answered", satisfactionComment="\x1b[2J")
    shop.work()
    assert "\x1b[2J" not in shop.run("why", history.ids[0]).stdout


def test_an_unserved_delivery_and_an_unreadable_receipt_are_shown(shop, history):
    shop.hear(history.ids[0])
    shop.engine.sync()
    with shop.ledger.database.write() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET receipt = 'damaged'")
    shop.config.write_text(shop.config.read_text().replace("linger = 0", "linger = 0\nenabled = false"))
    (story,) = shop.json("why", history.ids[0])
    (journey,) = story["destinations"]
    assert journey["suggestion"] == (
        "sales is disabled, not configured any more or without its plugin: "
        "mend that and restart, or chatferry discard 1"
    )
    assert journey["receipt"] is None
