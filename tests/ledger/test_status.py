from __future__ import annotations

from chatferry.ledger.conversations import SyncResult
from chatferry.ledger.deliveries.states import DeliveryState

NOW = 1_700_000_000.0


def test_an_empty_ledger_has_nothing_to_say(ledger):
    found = ledger.status(NOW)
    assert (found.events, found.conversations, found.reading.waiting) == (0, 0, 0)
    assert (found.destinations, found.problems, found.kept) == ([], [], [])


def test_deliveries_are_counted_by_destination_and_state(fill):
    fill.put("c1", at=NOW)
    fill.put("c2", at=NOW + 10)
    fill.put("c3", state=DeliveryState.DEAD)
    fill.put("c4", destination="care", state=DeliveryState.SKIPPED)
    care, sales = fill.ledger.status(NOW + 20).destinations
    assert (sales.deliveries[DeliveryState.DUE], sales.deliveries[DeliveryState.DEAD]) == (2, 1)
    assert (sales.queue.waiting, sales.queue.oldest) == (2, NOW)
    assert (care.deliveries[DeliveryState.SKIPPED], care.queue.waiting, care.queue.oldest) == (1, 0, None)


def test_what_is_due_waits_to_be_read_and_what_is_not_comes_later(fill):
    fill.mark("c1", NOW - 30)
    fill.mark("c2", NOW + 30)
    reading = fill.ledger.status(NOW).reading
    assert (reading.waiting, reading.due, reading.failed, reading.later) == (1, 1, 0, 1)
    assert (reading.oldest, reading.idle_since, reading.failing_since) == (NOW - 30, NOW - 30, None)


def test_what_failed_waits_since_it_was_first_due_however_often_it_is_tried(fill):
    fill.mark("c1", NOW)
    for later in (1, 100, 10_000):
        fail(fill.ledger, NOW + later)
    reading = fill.ledger.status(NOW + 10_001).reading
    assert (reading.waiting, reading.due, reading.failed, reading.later) == (1, 0, 1, 0)
    assert (reading.oldest, reading.failing_since, reading.idle_since) == (NOW, NOW, None)


def test_what_was_read_at_last_does_not_wait_any_more(fill):
    fill.mark("c1", NOW)
    fail(fill.ledger, NOW)
    fill.sync(at=NOW + 60)
    assert fill.ledger.status(NOW + 60).reading.oldest is None
    fill.mark("c1", NOW + 500)
    assert fill.ledger.status(NOW + 600).reading.oldest == NOW + 500


def test_a_long_past_is_not_idle(fill):
    fill.mark("c1", NOW, is_backfill=1)
    reading = fill.ledger.status(NOW + 10_000).reading
    assert (reading.due, reading.idle_since) == (1, None)


def fail(ledger, at):
    leased = ledger.conversations.lease(ledger.owner, at, at + 60, 9)
    away = [SyncResult(due=one, due_at=at + 60, problem="iAdvize is away") for one in leased]
    ledger.conversations.record_sync(ledger.owner, away, at)


def test_conversations_that_are_not_read_are_counted_by_problem(fill):
    for name in ("c1", "c2"):
        fill.mark(name)
    fail(fill.ledger, NOW)
    assert fill.ledger.status(NOW).problems == [("iAdvize is away", 2)]
