from __future__ import annotations

import pytest

from chatferry.ledger.deliveries.states import AttemptResult, DeliveryState
from chatferry.ledger.destinations import BatchEnd, Pause, PauseKind

NOW = 1_700_000_000.0


@pytest.fixture
def destinations(fill):
    return fill.ledger.destinations


def take(fill, at=NOW):
    return fill.ledger.deliveries.lease("sales", fill.ledger.owner, at, at + 60, limit=9, linger=0).deliveries


def resume(fill, *, succeeded):
    """End a batch that did not fail as a whole."""
    end = BatchEnd(destination="sales", owner=fill.ledger.owner, succeeded_at=NOW if succeeded else None)
    fill.ledger.deliveries.record_attempts([], NOW, end)


def test_an_unknown_destination_is_not_paused(destinations):
    assert destinations.state("nowhere").pause_kind is None


def pause(fill, kind, until, failures=0):
    """Lease the destination, and end that with a pause."""
    fill.ledger.destinations.take("sales", fill.ledger.owner, NOW, NOW + 60)
    pause = Pause(kind=kind, reason="a reason", until=until, failures=failures)
    fill.ledger.destinations.pause("sales", pause)


def test_a_paused_destination_gets_nothing_until_its_time_has_come(fill, destinations):
    fill.put()
    pause(fill, PauseKind.QUOTA, NOW + 60, failures=3)
    state = destinations.state("sales")
    assert (state.pause_kind, state.paused_until, state.failures) == (PauseKind.QUOTA, NOW + 60, 3)
    assert take(fill) == []
    assert len(take(fill, NOW + 60)) == 1


def test_a_batch_that_ends_well_resumes_the_destination_and_is_remembered(fill, destinations):
    pause(fill, PauseKind.BACKING_OFF, NOW + 60, failures=3)
    for succeeded in (True, False):
        destinations.take("sales", fill.ledger.owner, NOW, NOW + 60)
        resume(fill, succeeded=succeeded)
    state = destinations.state("sales")
    assert (state.pause_kind, state.failures, state.last_success_at) == (None, 0, NOW)


def test_what_an_operator_paused_stays_paused_whatever_becomes_of_a_batch_in_flight(fill, destinations):
    fill.put()
    assert len(take(fill)) == 1
    destinations.pause_by_operator("sales", "a migration")
    resume(fill, succeeded=True)
    pause(fill, PauseKind.CREDENTIALS, NOW + 1)
    state = destinations.state("sales")
    assert (state.pause_kind, state.pause_reason, state.paused_until) == (
        PauseKind.OPERATOR,
        "a migration",
        None,
    )
    assert state.last_success_at == NOW
    assert take(fill, NOW + 1e6) == []


def test_an_operator_who_pauses_and_resumes_does_not_let_two_batches_out_at_once(fill, destinations):
    fill.put()
    assert len(take(fill)) == 1
    destinations.pause_by_operator("sales", "a migration")
    fill.ledger.resume_destination("sales", NOW)
    assert fill.ledger.deliveries.lease("sales", "another", NOW, NOW + 60, limit=9, linger=0).deliveries == []


def test_resuming_makes_due_what_waited(fill):
    fill.put()
    (leased,) = take(fill)
    fill.ledger.deliveries.record_attempts(
        [AttemptResult(delivery=leased, state=DeliveryState.DUE, due_at=NOW + 3600, reason="away")], NOW
    )
    pause(fill, PauseKind.BACKING_OFF, NOW + 3600)
    assert fill.ledger.resume_destination("sales", NOW) == 1
    assert len(take(fill)) == 1


def test_a_lease_that_is_over_ends_nothing(fill, destinations):
    pause(fill, PauseKind.CREDENTIALS, NOW + 60)
    resume(fill, succeeded=True)
    state = destinations.state("sales")
    assert (state.pause_kind, state.last_success_at) == (PauseKind.CREDENTIALS, None)


def test_one_destination_is_paused_alone(fill, destinations):
    fill.put(destination="care")
    destinations.pause_by_operator("sales", "a migration")
    leased = fill.ledger.deliveries.lease(
        "care", fill.ledger.owner, NOW, NOW + 60, limit=9, linger=0
    ).deliveries
    assert len(leased) == 1
