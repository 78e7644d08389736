from __future__ import annotations

import random
import threading

from chatferry.errors import LedgerUnavailable
from chatferry.ledger import Ledger
from chatferry.ledger.conversations import SyncResult
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import AttemptResult, DeliveryState
from chatferry.ledger.sync_requests import SyncRequest

NOW = 1_700_000_000.0


def test_a_thread_whose_lease_ran_out_records_nothing_for_what_another_thread_leased(fill, decided):
    known, owner = fill.ledger.conversations, fill.ledger.owner
    fill.mark("c1")
    (slow,) = known.lease(owner, NOW, NOW + 60, 50)
    (quick,) = known.lease(owner, NOW + 61, NOW + 121, 50)
    known.record_sync(owner, [SyncResult(due=slow, decisions=[decided(fingerprint="old")])], NOW + 62)
    assert fill.ledger.selections.count(Selection()) == 0
    known.record_sync(owner, [SyncResult(due=quick, decisions=[decided(fingerprint="new")])], NOW + 63)
    assert fill.only().fingerprint == "new"


def test_what_a_sync_gives_back_is_leased_anew_at_once(fill):
    known = fill.ledger.conversations
    fill.mark("c1")
    (leased,) = known.lease("me", NOW, NOW + 60, 50)
    known.give_back("another", [leased.id])
    assert known.lease("me", NOW, NOW + 60, 50) == []
    known.give_back("me", [leased.id])
    assert len(known.lease("me", NOW, NOW + 60, 50)) == 1


def test_a_lead_on_its_way_that_is_no_longer_wanted_is_left_out(fill, decided):
    queued = fill.put()
    (leased,) = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    fill.mark("c1")
    fill.sync(decided(state=DeliveryState.SKIPPED, reason="vetoed", fingerprint=None, lead=None))
    found = fill.only()
    assert (found.state, found.reason, found.lead, found.due_at) == (
        DeliveryState.SKIPPED,
        "vetoed",
        None,
        None,
    )
    assert found.version == queued.version + 1
    fill.ledger.deliveries.record_attempts(
        [AttemptResult(delivery=leased, state=DeliveryState.DUE, due_at=NOW + 9)], NOW
    )
    assert fill.only().state is DeliveryState.SKIPPED


def test_a_lead_that_was_delivered_stays_delivered_whatever_is_wanted_later(fill, decided):
    fill.put()
    (leased,) = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    fill.ledger.deliveries.record_attempts(
        [AttemptResult(delivery=leased, state=DeliveryState.DELIVERED)], NOW
    )
    fill.mark("c1")
    fill.sync(decided(state=DeliveryState.SKIPPED, reason="vetoed", fingerprint=None, lead=None))
    assert fill.only().state is DeliveryState.DELIVERED


def requests(names):
    return [
        SyncRequest(platform="ha", client_id=335, conversation_id=name, seen_at=NOW, due_at=NOW)
        for name in names
    ]


def test_requests_readings_and_deliveries_at_once_never_deadlock(fill, ledger_url, decided):
    """PostgreSQL ends one of two transactions that wait for each other."""
    names = [f"c{number}" for number in range(30)]
    failures: list[LedgerUnavailable] = []

    def often(step):
        def run():
            ledger = Ledger(ledger_url)
            for number in range(12):
                try:
                    step(ledger, random.Random(number))
                except LedgerUnavailable as error:
                    failures.append(error)
            ledger.close()

        return threading.Thread(target=run)

    def mark(ledger, chance):
        ledger.conversations.request_sync(requests(chance.sample(names, 30)))

    def read(ledger, chance):
        due = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
        chance.shuffle(due)
        decisions = [decided(fingerprint=str(chance.random()))]
        ledger.conversations.record_sync(
            ledger.owner, [SyncResult(due=one, decisions=decisions) for one in due], NOW
        )

    def deliver(ledger, chance):
        batch = ledger.deliveries.lease("sales", ledger.owner, NOW, NOW + 60, limit=50, linger=0).deliveries
        chance.shuffle(batch)
        ledger.deliveries.record_attempts(
            [AttemptResult(delivery=one, state=DeliveryState.DELIVERED) for one in batch], NOW
        )

    mark(fill.ledger, random.Random(1))
    threads = [often(step) for step in (mark, mark, read, deliver)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_one_whose_delivery_is_parked_is_unknown_only_for_the_reason_that_is_meant(fill, decided):
    fill.mark("c1")
    fill.sync(decided(state=DeliveryState.PARKED, reason="no operator named"))
    unknown = fill.ledger.conversations.unknown

    def asked(reason):
        return unknown("ha", 335, ["c1", "c2"], more_is_known_of=["c1"], parked_because=reason)

    assert asked("no operator named") == ["c1", "c2"]
    assert asked("something else") == ["c2"]
