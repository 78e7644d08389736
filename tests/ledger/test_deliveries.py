from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from chatferry.ledger.decisions import State
from chatferry.ledger.deliveries import PRUNED_AT_ONCE, Settled
from chatferry.ledger.events import Admission
from chatferry.model import Event

NOW = 1_700_000_000.0


@pytest.fixture
def lease(fill):
    def take(at=NOW):
        (leased,) = fill.ledger.deliveries.lease("sales", "me", at, at + 60, limit=9, linger=0)
        return leased

    return take


def test_what_a_crm_said_of_newer_content_outlives_an_older_batch_that_ends_late(fill, decided, lease):
    settle = fill.ledger.deliveries.settle
    fill.put()
    first = lease()
    fill.mark("c1")
    fill.sync(decided(fingerprint="second"))
    settle([Settled(delivery=lease(), state=State.DELIVERED, receipt="newer")], NOW)
    settle([Settled(delivery=first, state=State.DELIVERED, receipt="older")], NOW + 1)
    found = fill.only()
    assert (found.state, found.receipt, found.delivered_fingerprint) == (State.DELIVERED, "newer", "second")


def test_a_batch_that_ends_late_does_not_queue_what_another_delivered(fill, lease):
    settle = fill.ledger.deliveries.settle
    fill.put()
    slow, quick = lease(), lease()
    settle([Settled(delivery=quick, state=State.DELIVERED, receipt="{}")], NOW)
    settle([Settled(delivery=slow, state=State.DUE, due_at=NOW + 9, reason="away")], NOW + 1)
    assert fill.only().state is State.DELIVERED


@contextmanager
def written(ledger, verb):
    """Collect how many rows each statement of a kind touched."""
    sizes: list[int] = []

    def note(_connection, cursor, statement, _parameters, _context, _many):
        if statement.startswith(verb):
            sizes.append(cursor.rowcount)

    event.listen(ledger.database.engine, "after_cursor_execute", note)
    yield sizes
    event.remove(ledger.database.engine, "after_cursor_execute", note)


def test_old_leads_and_events_are_dropped_a_few_at_a_time(fill, decided):
    ledger = fill.ledger
    many = PRUNED_AT_ONCE + 5
    ledger.events.accept(
        [
            Admission(
                event=Event(
                    event_id=f"e{number}",
                    event_type="v2.conversation.closed",
                    platform="ha",
                    client_id=335,
                    conversation_id=f"c{number}",
                    received_at=datetime.fromtimestamp(NOW, UTC),
                    body=b"{}",
                ),
                due_at=NOW,
            )
            for number in range(many)
        ]
    )
    assert ledger.events.prune(NOW + 1) == 0
    while ledger.status(NOW).reading.waiting:
        fill.sync(decided(state=State.SKIPPED, reason="not ours", lead=None))
    with written(ledger, "DELETE") as deleted, written(ledger, "UPDATE") as emptied:
        assert ledger.events.prune(NOW + 1) == many
        assert ledger.deliveries.prune(NOW + 1) == many
    assert deleted == emptied == [PRUNED_AT_ONCE, 5]
    assert fill.only("c7").email is None
