from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from chatferry.emulators import Server
from chatferry.emulators.iadvize.world import HISTORY_START, HISTORY_STEP
from chatferry.errors import PlatformAuthFailure, PlatformError, PlatformUnavailable
from chatferry.http.token_store import MemoryTokens
from chatferry.iadvize.client import IAdvize
from chatferry.iadvize.closed import ClosedPage
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


def test_a_page_iadvize_does_not_know_any_more_begins_again(shop):
    kept = shop.ledger.reconciliations
    (begun,) = kept.begin(ONE, Kind.RECONCILE, BEFORE, 2e9, 1.0)
    kept.advance(replace(begun, cursor="bm90aGluZw==", found=100, missing=40))
    (progress,) = shop.engine.reconciler.reconcile(BEFORE, 2e9)
    assert (progress.found, progress.missing) == (6, 6)


def test_an_iadvize_that_is_away_is_not_asked_for_the_first_page_instead(shop, history):
    kept = shop.ledger.reconciliations
    (begun,) = kept.begin(ONE, Kind.RECONCILE, BEFORE, 2e9, 1.0)
    kept.advance(replace(begun, cursor="bm90aGluZw=="))
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
