from __future__ import annotations

import pytest

from chatferry.ledger.decisions import DeliveryState
from chatferry.ledger.deliveries import AttemptResult
from chatferry.ledger.destinations import PauseKind

NOW = 1_700_000_000.0


@pytest.fixture
def destinations(fill):
    return fill.ledger.destinations


def take(fill, at=NOW):
    return fill.ledger.deliveries.lease("sales", fill.ledger.owner, at, at + 60, limit=9, linger=0)


def test_a_stranger_is_awake(destinations):
    assert destinations.state("nowhere").pause_kind is None


def park(fill, why, until, failures=0):
    """Take a turn and end it with a rest."""
    fill.ledger.leases.take_turn("sales", fill.ledger.owner, NOW, NOW + 60)
    fill.ledger.destinations.pause("sales", why, "a reason", until, failures=failures)


def test_a_parked_destination_gets_nothing_until_its_time_has_come(fill, destinations):
    fill.put()
    park(fill, PauseKind.QUOTA, NOW + 60, failures=3)
    state = destinations.state("sales")
    assert (state.pause_kind, state.paused_until, state.failures) == (PauseKind.QUOTA, NOW + 60, 3)
    assert take(fill) == []
    assert len(take(fill, NOW + 60)) == 1


def test_a_turn_that_ends_well_wakes_and_is_remembered(fill, destinations):
    park(fill, PauseKind.BACKING_OFF, NOW + 60, failures=3)
    for succeeded_at in (NOW, None):
        fill.ledger.leases.take_turn("sales", fill.ledger.owner, NOW, NOW + 60)
        destinations.resume("sales", succeeded_at)
    state = destinations.state("sales")
    assert (state.pause_kind, state.failures, state.last_success_at) == (None, 0, NOW)


def test_what_an_operator_parked_stays_parked_whatever_a_batch_on_its_way_comes_to(fill, destinations):
    fill.put()
    assert len(take(fill)) == 1
    destinations.pause_by_operator("sales", "a migration")
    destinations.resume("sales", NOW)
    park(fill, PauseKind.CREDENTIALS, NOW + 1)
    state = destinations.state("sales")
    assert (state.pause_kind, state.pause_reason, state.paused_until) == (
        PauseKind.OPERATOR,
        "a migration",
        None,
    )
    assert state.last_success_at == NOW
    assert take(fill, NOW + 1e6) == []


def test_an_operator_who_parks_and_wakes_does_not_let_two_batches_out_at_once(fill, destinations):
    fill.put()
    assert len(take(fill)) == 1
    destinations.pause_by_operator("sales", "a migration")
    destinations.resume_by_operator("sales", NOW)
    assert fill.ledger.deliveries.lease("sales", "another", NOW, NOW + 60, limit=9, linger=0) == []


def test_waking_makes_due_what_waited(fill, destinations):
    fill.put()
    (leased,) = take(fill)
    fill.ledger.deliveries.record_attempts(
        [AttemptResult(delivery=leased, state=DeliveryState.DUE, due_at=NOW + 3600, reason="away")], NOW
    )
    park(fill, PauseKind.BACKING_OFF, NOW + 3600)
    assert destinations.resume_by_operator("sales", NOW) == 1
    assert len(take(fill)) == 1


def test_a_turn_that_is_over_ends_nothing(fill, destinations):
    park(fill, PauseKind.CREDENTIALS, NOW + 60)
    destinations.resume("sales", NOW)
    state = destinations.state("sales")
    assert (state.pause_kind, state.last_success_at) == (PauseKind.CREDENTIALS, None)


def test_one_destination_rests_alone(fill, destinations):
    fill.put(destination="care")
    destinations.pause_by_operator("sales", "a migration")
    leased = fill.ledger.deliveries.lease("care", fill.ledger.owner, NOW, NOW + 60, limit=9, linger=0)
    assert len(leased) == 1
