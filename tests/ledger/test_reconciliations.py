from __future__ import annotations

from dataclasses import replace

from chatferry.ledger.reconciliations import Kind
from chatferry.ledger.selection import Selection

NOW = 1_700_000_000.0


def begin(ledger, kind=Kind.RECONCILE, since=0.0, until=100.0, *, at=NOW):
    return ledger.reconciliations.begin("ha", 335, kind, since, until, at)


def test_an_unfinished_one_of_the_same_period_goes_on(ledger):
    first = begin(ledger)
    ledger.reconciliations.advance(replace(first, cursor="page 2", found=100, missing=3))
    again = begin(ledger)
    assert (again.id, again.cursor, again.found, again.missing) == (first.id, "page 2", 100, 3)
    assert begin(ledger, until=101.0).cursor is None
    assert begin(ledger, Kind.BACKFILL).cursor is None


def test_a_finished_one_begins_anew(ledger):
    ledger.reconciliations.finish(begin(ledger), NOW)
    assert begin(ledger).id != 1


def test_the_newest_interrupted_one_is_known_by_kind(ledger):
    assert ledger.reconciliations.unfinished(Kind.RECONCILE) is None
    begin(ledger, since=1.0, at=NOW)
    begin(ledger, since=2.0, at=NOW + 1)
    begin(ledger, Kind.BACKFILL, since=3.0, at=NOW + 2)
    assert ledger.reconciliations.unfinished(Kind.RECONCILE) == (2.0, 100.0)
    assert ledger.reconciliations.unfinished(Kind.BACKFILL) == (3.0, 100.0)


def test_only_finished_scheduled_ones_say_how_far_one_got(ledger):
    ledger.reconciliations.finish(begin(ledger, Kind.SCHEDULED, until=100.0), NOW)
    ledger.reconciliations.finish(begin(ledger, Kind.RECONCILE, until=150.0), NOW)
    ledger.reconciliations.finish(begin(ledger, Kind.BACKFILL, until=200.0), NOW)
    begin(ledger, Kind.SCHEDULED, until=300.0)
    assert ledger.reconciliations.complete_until("ha", 335) == 100.0
    assert ledger.reconciliations.complete_until("ha", 336) is None


def test_a_scheduled_one_that_was_interrupted_is_known_by_where_it_began(ledger):
    begin(ledger, Kind.SCHEDULED, since=7.0, until=300.0)
    begin(ledger, Kind.RECONCILE, since=8.0, until=300.0)
    assert ledger.reconciliations.interrupted("ha", 335, 7.0) == 300.0
    assert ledger.reconciliations.interrupted("ha", 335, 8.0) is None


def test_what_closed_in_a_period_is_on_its_way_until_it_is_delivered(fill, decided):
    way = fill.ledger.reconciliations.on_their_way
    fill.mark("c1", close_heard_at=NOW - 10)
    fill.mark("c2", close_heard_at=NOW - 1000)
    assert way(NOW - 100, NOW) == (1, 0)
    fill.sync(decided())
    assert way(NOW - 100, NOW) == (0, 1)
    fill.ledger.selections.discard(Selection(), "a test")
    assert way(NOW - 100, NOW) == (0, 0)
