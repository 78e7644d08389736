from __future__ import annotations

from chatferry.ledger.conversations import Settled
from chatferry.ledger.decisions import State

NOW = 1_700_000_000.0


def test_an_empty_ledger_has_nothing_to_say(ledger):
    found = ledger.status(NOW)
    assert (found.events, found.conversations, found.reading.waiting) == (0, 0, 0)
    assert (found.destinations, found.problems, found.kept) == ([], [], [])


def test_deliveries_are_counted_by_destination_and_state(fill):
    fill.put("c1", at=NOW)
    fill.put("c2", at=NOW + 10)
    fill.put("c3", state=State.DEAD)
    fill.put("c4", destination="care", state=State.SKIPPED)
    care, sales = fill.ledger.status(NOW + 20).destinations
    assert (sales.deliveries[State.DUE], sales.deliveries[State.DEAD]) == (2, 1)
    assert (sales.queue.waiting, sales.queue.oldest) == (2, NOW)
    assert (care.deliveries[State.SKIPPED], care.queue.waiting, care.queue.oldest) == (1, 0, None)


def test_only_what_is_due_now_waits_to_be_read(fill):
    fill.mark("c1", NOW - 30)
    fill.mark("c2", NOW + 30)
    reading = fill.ledger.status(NOW).reading
    assert (reading.waiting, reading.oldest) == (1, NOW - 30)


def test_conversations_that_are_not_read_are_counted_by_problem(fill):
    for name in ("c1", "c2"):
        fill.mark(name)
    owner = fill.ledger.owner
    leased = fill.ledger.conversations.lease(owner, NOW, NOW + 60, 9)
    away = [Settled(due=one, due_at=NOW + 60, problem="iAdvize is away") for one in leased]
    fill.ledger.conversations.settle(owner, away, NOW)
    assert fill.ledger.status(NOW).problems == [("iAdvize is away", 2)]
