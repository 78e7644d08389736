from __future__ import annotations

import pytest

from chatferry.ledger.decisions import State
from chatferry.ledger.deliveries import Settled
from chatferry.ledger.destinations import Parked

NOW = 1_700_000_000.0


@pytest.fixture
def destinations(fill):
    return fill.ledger.destinations


def take(fill, at=NOW):
    return fill.ledger.deliveries.lease("sales", fill.ledger.owner, at, at + 60, limit=9, linger=0)


def test_a_stranger_is_awake(destinations):
    assert destinations.state("nowhere").parked_as is None


def park(fill, why, until, failures=0):
    """Take a turn and end it with a rest."""
    fill.ledger.leases.take_turn("sales", fill.ledger.owner, NOW, NOW + 60)
    fill.ledger.destinations.park("sales", why, "a reason", until, failures=failures)


def test_a_parked_destination_gets_nothing_until_its_time_has_come(fill, destinations):
    fill.put()
    park(fill, Parked.QUOTA, NOW + 60, failures=3)
    state = destinations.state("sales")
    assert (state.parked_as, state.parked_until, state.failures) == (Parked.QUOTA, NOW + 60, 3)
    assert take(fill) == []
    assert len(take(fill, NOW + 60)) == 1


def test_a_turn_that_ends_well_wakes_and_is_remembered(fill, destinations):
    park(fill, Parked.WAITING, NOW + 60, failures=3)
    for succeeded_at in (NOW, None):
        fill.ledger.leases.take_turn("sales", fill.ledger.owner, NOW, NOW + 60)
        destinations.awake("sales", succeeded_at)
    state = destinations.state("sales")
    assert (state.parked_as, state.failures, state.last_success_at) == (None, 0, NOW)


def test_what_an_operator_parked_stays_parked_whatever_a_batch_on_its_way_comes_to(fill, destinations):
    fill.put()
    assert len(take(fill)) == 1
    destinations.hold("sales", "a migration")
    destinations.awake("sales", NOW)
    park(fill, Parked.CREDENTIALS, NOW + 1)
    state = destinations.state("sales")
    assert (state.parked_as, state.parked_reason, state.parked_until) == (
        Parked.OPERATOR,
        "a migration",
        None,
    )
    assert state.last_success_at == NOW
    assert take(fill, NOW + 1e6) == []


def test_an_operator_who_parks_and_wakes_does_not_let_two_batches_out_at_once(fill, destinations):
    fill.put()
    assert len(take(fill)) == 1
    destinations.hold("sales", "a migration")
    destinations.wake("sales", NOW)
    assert fill.ledger.deliveries.lease("sales", "another", NOW, NOW + 60, limit=9, linger=0) == []


def test_waking_makes_due_what_waited(fill, destinations):
    fill.put()
    (leased,) = take(fill)
    fill.ledger.deliveries.settle(
        [Settled(delivery=leased, state=State.DUE, due_at=NOW + 3600, reason="away")], NOW
    )
    park(fill, Parked.WAITING, NOW + 3600)
    assert destinations.wake("sales", NOW) == 1
    assert len(take(fill)) == 1


def test_a_turn_that_is_over_ends_nothing(fill, destinations):
    park(fill, Parked.CREDENTIALS, NOW + 60)
    destinations.awake("sales", NOW)
    state = destinations.state("sales")
    assert (state.parked_as, state.last_success_at) == (Parked.CREDENTIALS, None)


def test_one_destination_rests_alone(fill, destinations):
    fill.put(destination="care")
    destinations.hold("sales", "a migration")
    leased = fill.ledger.deliveries.lease("care", fill.ledger.owner, NOW, NOW + 60, limit=9, linger=0)
    assert len(leased) == 1
