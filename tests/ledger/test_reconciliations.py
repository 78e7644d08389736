from __future__ import annotations

from dataclasses import replace

from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.reconciliations import Kind

NOW = 1_700_000_000.0


ONE, TWO = ("ha", 335), ("sd", 336)


def begin(ledger, kind=Kind.RECONCILE, since=0.0, until=100.0, *, at=NOW):
    (progress,) = ledger.reconciliations.begin([ONE], kind, since, until, at)
    return progress


def test_an_unfinished_one_of_the_same_period_goes_on(ledger):
    first = begin(ledger)
    ledger.reconciliations.record_page(replace(first, cursor="page 2", found=100, missing=3), [])
    again = begin(ledger)
    assert (again.id, again.cursor, again.found, again.missing) == (first.id, "page 2", 100, 3)
    assert begin(ledger, until=101.0).cursor is None
    assert begin(ledger, Kind.BACKFILL).cursor is None


def test_a_finished_one_begins_anew(ledger):
    ledger.reconciliations.record_page(begin(ledger), [], finished_at=NOW)
    assert begin(ledger).id != 1


def test_the_newest_interrupted_one_is_known_by_kind(ledger):
    assert ledger.reconciliations.unfinished(Kind.RECONCILE, [ONE]) is None
    begin(ledger, since=1.0, at=NOW)
    begin(ledger, since=2.0, at=NOW + 1)
    begin(ledger, Kind.BACKFILL, since=3.0, at=NOW + 2)
    assert ledger.reconciliations.unfinished(Kind.RECONCILE, [ONE]) == (2.0, 100.0)
    assert ledger.reconciliations.unfinished(Kind.BACKFILL, [ONE]) == (3.0, 100.0)


def test_only_finished_scheduled_ones_say_how_far_one_got(ledger):
    ledger.reconciliations.record_page(begin(ledger, Kind.SCHEDULED, until=100.0), [], finished_at=NOW)
    ledger.reconciliations.record_page(begin(ledger, Kind.RECONCILE, until=150.0), [], finished_at=NOW)
    ledger.reconciliations.record_page(begin(ledger, Kind.BACKFILL, until=200.0), [], finished_at=NOW)
    begin(ledger, Kind.SCHEDULED, until=300.0)
    assert ledger.reconciliations.complete_until("ha", 335) == 100.0
    assert ledger.reconciliations.complete_until("ha", 336) is None


def test_a_scheduled_one_that_was_interrupted_is_known_until_a_later_one_is_complete(ledger):
    interrupted = ledger.reconciliations.interrupted
    begin(ledger, Kind.SCHEDULED, since=7.0, until=300.0)
    begin(ledger, Kind.RECONCILE, since=8.0, until=400.0)
    assert interrupted("ha", 335, None) == interrupted("ha", 335, 299.0) == (7.0, 300.0)
    assert interrupted("ha", 335, 300.0) is None
    assert interrupted("sd", 336, None) is None


def test_clients_that_were_finished_are_known_when_an_interrupted_one_goes_on(ledger):
    def both(now):
        return ledger.reconciliations.begin([ONE, TWO], Kind.BACKFILL, 0.0, 100.0, now)

    first, _ = both(NOW)
    assert ledger.reconciliations.unfinished(Kind.BACKFILL, [TWO]) == (0.0, 100.0)
    ledger.reconciliations.record_page(replace(first, found=7), [], finished_at=NOW)
    assert ledger.reconciliations.unfinished(Kind.BACKFILL, [ONE]) is None
    done, left = both(NOW + 60)
    assert (done.finished, done.found, left.finished) == (True, 7, False)
    ledger.reconciliations.record_page(left, [], finished_at=NOW)
    assert [one.finished for one in both(NOW + 120)] == [False, False]


def test_a_client_that_is_new_is_compared_with_those_that_go_on(ledger):
    begun = begin(ledger)
    again = ledger.reconciliations.begin([ONE, TWO], Kind.RECONCILE, 0.0, 100.0, NOW + 60)
    assert again[0].id == begun.id
    assert [one.finished for one in again] == [False, False]


def test_what_closed_in_a_period_is_on_its_way_until_it_is_delivered(fill, decided):
    way = fill.ledger.reconciliations.on_their_way
    fill.mark("c1", close_announced_at=NOW - 10)
    fill.mark("c2", close_announced_at=NOW - 1000)
    assert way(NOW - 100, NOW) == (1, 0)
    fill.sync(decided())
    assert way(NOW - 100, NOW) == (0, 1)
    fill.ledger.selections.discard(Selection(), "a test")
    assert way(NOW - 100, NOW) == (0, 0)


def test_an_interrupted_one_is_of_its_own_client_and_platform(ledger):
    for number, client in enumerate([("ha", 335), ("sd", 335), ("ha", 336)]):
        ledger.reconciliations.begin([client], Kind.SCHEDULED, float(number), 300.0, NOW)
    found = [ledger.reconciliations.interrupted(*client, None) for client in (("ha", 335), ("sd", 335))]
    assert found == [(0.0, 300.0), (1.0, 300.0)]
    assert ledger.reconciliations.interrupted("ha", 336, None) == (2.0, 300.0)
    assert ledger.reconciliations.interrupted("aa", 335, None) is None
    assert ledger.reconciliations.interrupted("zz", 335, None) is None
