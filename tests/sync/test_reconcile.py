from __future__ import annotations

import gc
import json
import re
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
import structlog
from sqlalchemy import event
from structlog.testing import capture_logs

from chatferry.emulators import Server
from chatferry.emulators.iadvize import create_app as create_emulator
from chatferry.emulators.iadvize.world import HISTORY_START, HISTORY_STEP
from chatferry.errors import PlatformAuthFailure, PlatformError, PlatformUnavailable
from chatferry.http.token_store import MemoryTokens
from chatferry.iadvize.client import IAdvize
from chatferry.iadvize.closed import ClosedPage
from chatferry.ledger.conversations import SyncResult
from chatferry.ledger.reconciliations import Kind
from chatferry.runners.local import LocalRunner
from chatferry.settings.secrets import Secret
from chatferry.web.app import create_app

BEFORE = HISTORY_START - 60
ONE = [("ha", 335)]


@contextmanager
def serving(shop, history):
    """Be there for webhooks, and do the work."""
    app = create_app(shop.engine.accept, shop.ledger.ping, body_limit=100_000)
    with Server(app) as server, LocalRunner(shop.engine, reconciling=False):
        history.sender.target = f"{server.url}/webhooks/iadvize"
        yield


def test_lost_webhooks_and_an_absence_cost_nothing_after_one_reconciliation(open_shop, history, ledger_url):
    shop = open_shop(database=ledger_url)
    since = time.time() - 3600
    history.faults.switch_on("dropped:0.3")
    history.faults.switch_on("duplicate:0.1")
    with serving(shop, history):
        played = history.play(40)
        history.settle()
    played += history.play(20)  # no server answers, and iAdvize gives up after two more tries
    history.settle()
    with serving(shop, history):
        played += history.play(20)
        history.settle()
    history.faults.switch_off()
    keys = sorted(f"ha-335-{one}" for one in played)
    assert len(shop.conversations()) < len(keys)

    found = shop.json("reconcile", "--since", f"{round(time.time() - since)}s", "--work")

    assert found["clients"][0]["missing"] > 0
    assert shop.conversations() == keys
    again = shop.json("reconcile", "--since", f"{round(time.time() - since)}s", "--work")
    assert again["clients"][0]["missing"] == 0
    assert shop.conversations() == keys


@pytest.mark.parametrize("history", [150], indirect=True)
def test_a_comparison_goes_on_from_its_last_page(shop, history):
    seen = []

    def stop_after_the_first(progress):
        seen.append(progress.found)
        history.faults.switch_on("graphql-refused")

    with pytest.raises(PlatformError):
        shop.engine.reconciler.reconcile(BEFORE, 2e9, report=stop_after_the_first)
    history.faults.switch_off()
    assert seen == [100]
    assert shop.ledger.reconciliations.unfinished(Kind.RECONCILE, ONE) == (BEFORE, 2e9)
    (progress,) = shop.engine.reconciler.reconcile(BEFORE, 2e9, report=lambda p: seen.append(p.found))
    assert seen == [100, 150]
    assert (progress.found, progress.missing) == (150, 150)
    assert shop.ledger.reconciliations.unfinished(Kind.RECONCILE, ONE) is None


@pytest.mark.parametrize("fault", ["circular-pages", "endless-pages"])
@pytest.mark.parametrize("history", [250], indirect=True)
def test_pages_that_lead_nowhere_end_the_comparison_with_all_they_held(shop, history, fault):
    history.faults.switch_on(fault)
    pages, reconciler = [], shop.engine.reconciler
    structlog.reset_defaults()  # the shop's log has errors only
    with capture_logs() as said:
        (progress,) = reconciler.reconcile(BEFORE, 2e9, report=pages.append)
    assert len(pages) <= 4
    assert (progress.missing, progress.leads_nowhere) == (250, True)
    assert shop.ledger.status(time.time()).reading.due == 250
    assert shop.ledger.reconciliations.unfinished(Kind.RECONCILE, ONE) is None
    (line,) = [one for one in said if "lead nowhere" in one["event"]]
    assert (line["log_level"], line["client"]) == ("warning", "ha/335")


def test_the_command_says_that_iadvizes_pages_led_nowhere(shop, history):
    history.faults.switch_on("circular-pages")
    assert "lead nowhere" in shop.run("reconcile", "--since", "2026-01-01").output
    found = shop.json("reconcile", "--since", "2026-01-01")
    assert found["clients"][0]["pages_lead_nowhere"] is True


class Killed(BaseException):
    """As a process that ends at some statement."""


@pytest.mark.parametrize("history", [150], indirect=True)
@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("write", ["INSERT INTO conversations", "UPDATE reconciliations"])
def test_a_page_is_requested_and_remembered_or_neither(shop, page, write):
    """A kill between the two writes of a page loses nothing when the comparison goes on."""
    engine, left = shop.ledger.database.engine, [page]

    def kill(_connection, _cursor, statement, *_):
        if statement.startswith(write):
            left[0] -= 1
            if not left[0]:
                raise Killed

    event.listen(engine, "after_cursor_execute", kill)
    with pytest.raises(Killed):
        shop.engine.reconciler.reconcile(BEFORE, 2e9)
    gc.collect()  # frees the statement that the traceback holds, as the end of a process would
    event.remove(engine, "after_cursor_execute", kill)
    assert left == [0]
    requested = shop.ledger.status(time.time()).reading.due
    assert requested == (page - 1) * 100
    (progress,) = shop.engine.reconciler.reconcile(BEFORE, 2e9)
    assert (progress.found, progress.missing) == (150, 150)
    assert shop.ledger.status(time.time()).reading.due == 150


def test_a_page_iadvize_does_not_know_any_more_begins_again(shop):
    kept = shop.ledger.reconciliations
    (begun,) = kept.begin(ONE, Kind.RECONCILE, BEFORE, 2e9, 1.0)
    kept.record_page(replace(begun, cursor="bm90aGluZw==", found=100, missing=40), [])
    (progress,) = shop.engine.reconciler.reconcile(BEFORE, 2e9)
    assert (progress.found, progress.missing) == (6, 6)


def test_an_iadvize_that_is_away_is_not_asked_for_the_first_page_instead(shop, history):
    kept = shop.ledger.reconciliations
    (begun,) = kept.begin(ONE, Kind.RECONCILE, BEFORE, 2e9, 1.0)
    kept.record_page(replace(begun, cursor="bm90aGluZw=="), [])
    history.faults.switch_on("server-error")
    with pytest.raises(PlatformUnavailable):
        shop.engine.reconciler.reconcile(BEFORE, 2e9)
    assert kept.begin(ONE, Kind.RECONCILE, BEFORE, 2e9, 1.0)[0].cursor == "bm90aGluZw=="


def test_a_conversation_that_was_read_while_it_ran_is_missing_until_its_close_is_read(shop, history):
    shop.hear(history.ids[0], "v2.conversation.pushed")
    assert shop.engine.reconciler.reconcile(BEFORE, 2e9)[0].missing == 6
    shop.work()
    assert shop.engine.reconciler.reconcile(BEFORE, 2e9 + 1)[0].missing == 0


def test_projects_no_destination_wants_are_not_asked_for(open_shop, history):
    (mine, *_) = history.clients[0].projects
    shop = open_shop(f"projects = [{mine.id}]\n")
    (progress,) = shop.engine.reconciler.reconcile(BEFORE, 2e9)
    assert progress.found == sum(history.truth(one).project_id == mine.id for one in history.ids)


def test_a_scheduled_one_begins_before_the_last_one_ended(shop):
    (first,) = shop.engine.reconciler.scheduled(HISTORY_START + HISTORY_STEP)
    (second,) = shop.engine.reconciler.scheduled(HISTORY_START + 5 * HISTORY_STEP)
    assert first.found == 2
    assert second.since == first.until - shop.engine.settings.reconcile.overlap
    assert (second.found, second.missing) == (6, 4 + 2)


def test_what_an_operator_compares_leaves_no_gap_in_what_is_scheduled(shop):
    shop.engine.reconciler.scheduled(HISTORY_START)
    shop.engine.reconciler.reconcile(HISTORY_START + 4 * HISTORY_STEP, HISTORY_START + 5 * HISTORY_STEP)
    (scheduled,) = shop.engine.reconciler.scheduled(HISTORY_START + 6 * HISTORY_STEP)
    assert scheduled.since == HISTORY_START - shop.engine.settings.reconcile.overlap


def test_a_clock_that_was_ahead_does_not_turn_the_next_period_around(shop):
    shop.engine.reconciler.scheduled(HISTORY_START + 86_400)
    (scheduled,) = shop.engine.reconciler.scheduled(HISTORY_START)
    assert scheduled.since == HISTORY_START - shop.engine.settings.reconcile.overlap
    assert scheduled.since < scheduled.until


def test_a_client_that_is_refused_keeps_no_other_from_being_compared(shop):
    working = shop.engine.clients["ha", 335]
    refused = IAdvize(
        replace(shop.engine.settings.iadvize.clients[0], client_id=1, password=Secret("wrong")),
        MemoryTokens(),
    )
    engine = replace(shop.engine, clients={("ha", 1): refused, ("ha", 335): working})
    with pytest.raises(PlatformAuthFailure):
        engine.reconciler.scheduled(HISTORY_START)
    assert shop.ledger.reconciliations.complete_until("ha", 335) == HISTORY_START
    refused.close()


def test_the_first_scheduled_one_looks_back_a_day(shop):
    (progress,) = shop.engine.reconciler.scheduled(HISTORY_START)
    assert progress.since == HISTORY_START - 86_400
    assert progress.found == 1


def test_the_first_scheduled_one_looks_back_from_when_it_was_first_tried(shop, history):
    history.faults.switch_on("graphql-refused")
    with pytest.raises(PlatformError):
        shop.engine.reconciler.scheduled(HISTORY_START + 86_400)
    history.faults.switch_off()
    (progress,) = shop.engine.reconciler.scheduled(HISTORY_START + 3 * 86_400)
    assert progress.until == HISTORY_START + 3 * 86_400
    assert shop.ledger.status(time.time()).reading.due == 6


class Second:
    """A second client, as a test wants it to be."""

    def __init__(self, closed):
        self.closed = closed


def with_two(shop, second):
    return replace(shop.engine, clients={("ha", 335): shop.engine.clients["ha", 335], ("ha", 1): second})


@pytest.mark.parametrize("end", [PlatformError("no"), KeyboardInterrupt()])
def test_what_is_resumed_asks_only_the_clients_that_were_not_finished(shop, end):
    def fail(*_):
        raise end

    with pytest.raises(type(end)):
        with_two(shop, Second(fail)).reconciler.reconcile(BEFORE, 2e9, kind=Kind.BACKFILL)
    period = shop.ledger.reconciliations.unfinished(Kind.BACKFILL, [("ha", 1)])
    assert period == (BEFORE, 2e9)
    pages = []
    engine = with_two(shop, Second(lambda *_: ClosedPage(conversations=())))
    found = engine.reconciler.reconcile(*period, kind=Kind.BACKFILL, report=pages.append)
    assert [one.client_id for one in pages] == [1]
    assert [(one.client_id, one.found) for one in found] == [(335, 6), (1, 0)]


def states(shop):
    found = shop.json("deliveries")
    return {one["conversation_id"]: (one["state"], one["reason"]) for one in found["deliveries"]}


def of_operator(history):
    """An operator who took part in some conversations, which those are, and the rule about them."""
    parts = {one: set(history.truth(one).operator_ids) for one in history.ids}
    operator = min(set.union(*parts.values()), key=lambda each: sum(each in ids for ids in parts.values()))
    return operator, {one for one, ids in parts.items() if operator in ids}


def test_operators_of_conversations_whose_webhook_was_lost_come_from_iadvizes_list(open_shop, history):
    operator, ours = of_operator(history)
    assert ours != set(history.ids)
    shop = open_shop(f"operators = [{operator}]\n")
    history.faults.switch_on("no-messages")  # nobody's name is on a message
    shop.find_history()
    shop.work()
    assert shop.conversations() == sorted(f"ha-335-{one}" for one in ours)
    assert {state for state, _ in states(shop).values()} == {"delivered", "skipped"}


@pytest.mark.parametrize("rule", ["operators", "without_operators"])
def test_where_operators_are_not_known_the_lead_is_parked_until_a_reconciliation_knows(
    open_shop, history, rule
):
    operator, ours = of_operator(history)
    wanted = ours if rule == "operators" else set(history.ids) - ours
    shop = open_shop(f"{rule} = [{operator}]\n")
    history.faults.switch_on("no-messages")
    for one in history.ids:
        shop.hear(one, "satisfaction.answered", customerSatisfaction=4)  # the close is lost, and yet seen
    shop.work()
    assert {state for state, _ in states(shop).values()} == {"parked"}
    assert all("not all that took part are known" in reason for _, reason in states(shop).values())
    assert "not all that took part are known" in json.dumps(shop.json("why", history.ids[0]))
    assert shop.json("status")["destinations"][0]["deliveries"]["parked"] == len(history.ids)
    shop.find_history()
    shop.work()
    assert shop.conversations() == sorted(f"ha-335-{one}" for one in wanted)
    assert {state for state, _ in states(shop).values()} == {"delivered", "skipped"}
    (again,) = shop.engine.reconciler.reconcile(BEFORE, 2e9 + 1)
    assert again.missing == 0


def test_a_late_webhook_of_the_close_decides_what_was_parked(open_shop, history):
    operator, ours = of_operator(history)
    shop = open_shop(f"operators = [{operator}]\n")
    history.faults.switch_on("no-messages")
    one = min(ours)
    shop.hear(one, "satisfaction.answered", customerSatisfaction=4)
    shop.work()
    assert shop.conversations() == []
    shop.hear(one, operatorIds=[operator])
    shop.work()
    assert shop.conversations() == [f"ha-335-{one}"]


def test_an_iadvize_that_does_not_list_operators_leaves_them_parked(open_shop, history):
    operator, _ = of_operator(history)
    shop = open_shop(f"operators = [{operator}]\n")
    history.faults.switch_on("no-messages")
    with Server(create_emulator(history, without=["Conversation.users"])) as server:
        shop.config.write_text(
            re.sub(r'api_url = ".*"', f'api_url = "{server.url}"', shop.config.read_text())
        )
        shop.find_history()
        shop.work()
    assert {state for state, _ in states(shop).values()} == {"parked"}


def test_a_conversation_that_was_really_read_while_it_ran_is_missing_until_its_close_is_read(shop, history):
    history.faults.switch_on("late-close=1000")
    for one in history.ids:
        shop.hear(one, "satisfaction.answered", customerSatisfaction=4)
    shop.work()
    reading = shop.ledger.status(time.time()).reading
    assert (reading.due, reading.later) == (0, 6)  # read, running, and to be read again some time
    history.faults.switch_off()
    assert shop.engine.reconciler.reconcile(BEFORE, 2e9)[0].missing == 6
    shop.work()
    assert shop.conversations() == sorted(f"ha-335-{one}" for one in history.ids)
    assert shop.engine.reconciler.reconcile(BEFORE, 2e9 + 1)[0].missing == 0


def test_a_conversation_that_was_read_while_it_ran_is_missing_once_it_has_closed(ferry):
    """Its close is what was lost: that its beginning is known delivers nothing."""
    (one,) = ferry.play()
    ferry.tell(ferry.webhook(one, "v2.conversation.pushed"))
    ferry.clock.forward(2 * 3600)
    now, conversations = ferry.clock.now, ferry.ledger.conversations
    (due,) = conversations.lease(ferry.ledger.owner, now, now + 60, 50)
    conversations.record_sync(ferry.ledger.owner, [SyncResult(due=due, synced_at=now, closed_at=None)], now)
    since = now - 86_400
    (found,) = ferry.engine.reconciler.reconcile(since, now)
    assert (found.found, found.missing) == (len(ferry.world.ids), len(ferry.world.ids))
    ferry.run()
    assert ferry.key(one) in ferry.crm.delivered
    (again,) = ferry.engine.reconciler.reconcile(since + 1, now)
    assert again.missing == 0
