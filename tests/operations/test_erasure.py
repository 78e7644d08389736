from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from chatferry.connector import Connector, Outcome
from chatferry.deliver.dispatcher import Dispatcher
from chatferry.deliver.guarded_connector import GuardedConnector
from chatferry.errors import PermanentFailure, TemporaryFailure
from chatferry.model import Receipt
from chatferry.operations.erasure import Kept, erase
from chatferry.testing.sample.connector import SampleConnector


@pytest.fixture
def erasing(shop) -> Callable[..., object]:
    """Let a connector erase in its own way, and erase six delivered conversations."""
    shop.find_history()
    shop.work()
    everybody = [
        number for key in shop.conversations() for number in shop.ledger.erasures.meant(conversation=key)
    ]

    def run(
        way: Callable[[list[Receipt]], list[Outcome]],
        *,
        batch_size: int = 100,
        clock: Callable[[], float] = time.time,
        **options: float,
    ) -> object:
        connector = shop.engine.dispatchers["sales"].connect()

        class Odd(SampleConnector):
            def __init__(self) -> None:
                Connector.__init__(self, connector.settings, connector.context)

            def erase(self, receipts):
                return way(list(receipts))

        odd = Dispatcher("sales", GuardedConnector("sales", Odd), batch_size=batch_size)
        engine = replace(shop.engine, dispatchers={"sales": odd}, clock=clock)
        return erase(engine, everybody, **options)

    return run


def test_each_record_has_its_own_outcome(erasing):
    locked = PermanentFailure("the record is locked")
    report = erasing(lambda receipts: [locked, *receipts[1:]])
    assert report.erased == {"sales": 5}
    (kept,) = report.kept
    assert (kept.destination, len(kept.keys), kept.reason) == ("sales", 1, "the record is locked")


def test_a_record_whose_receipt_is_damaged_is_kept_and_told_and_keeps_no_other(shop, erasing):
    with shop.ledger.database.write() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET receipt = 'damaged' WHERE id = 1")
    report = erasing(lambda receipts: receipts)
    assert report.erased == {"sales": 5}
    (kept,) = report.kept
    assert "damaged in the ledger" in kept.reason


def refuse(_receipts):
    raise TemporaryFailure("the CRM is away")


def fail(_receipts):
    raise KeyError("quetzalcoatl")


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (refuse, "the CRM is away"),
        (fail, "its connector failed with KeyError"),
        (lambda receipts: receipts[1:], "one outcome a record"),
        (lambda receipts: ["gone"] * len(receipts), "one outcome a record"),
        (lambda _receipts: None, "one outcome a record"),
    ],
)
def test_a_connector_that_does_not_erase_is_told_and_asked_again(erasing, way, reason):
    report = erasing(way)
    (kept,) = report.kept
    assert reason in kept.reason
    assert "quetzalcoatl" not in kept.reason
    assert len(kept.keys) == 6
    assert erasing(lambda receipts: receipts).erased == {"sales": 6}


@pytest.mark.parametrize("ours", [False, True], ids=["anothers", "ours"])
def test_a_destination_that_does_not_come_to_rest_is_told(shop, erasing, ours):
    now = shop.engine.clock()
    owner = shop.ledger.owner if ours else "somebody else"
    shop.ledger.destinations.take("sales", owner, now, now + 60)
    report = erasing(lambda receipts: receipts, timeout=0.1)
    assert report.erased == {}
    assert "run the command again" in report.kept[0].reason


def test_an_erasure_longer_than_a_lease_keeps_batches_away_to_its_end(shop, erasing):
    """Each call takes two thirds of a lease, and somebody else wants the turn."""
    now = [time.time()]
    lease = shop.engine.settings.runner.lease
    taken = []

    def slow(receipts):
        now[0] += lease * 2 / 3
        taken.append(shop.ledger.destinations.take("sales", "somebody else", now[0], now[0] + lease))
        return receipts

    report = erasing(slow, batch_size=2, clock=lambda: now[0])
    assert (report.erased, taken) == ({"sales": 6}, [False] * 3)


def test_an_erasure_that_lost_its_turn_breaks_off_and_says_so(shop, erasing):
    now = [time.time()]
    lease = shop.engine.settings.runner.lease

    def paused(receipts):
        now[0] += lease + 1
        shop.ledger.destinations.take("sales", "somebody else", now[0], now[0] + 10 * lease)
        return receipts

    report = erasing(paused, batch_size=2, clock=lambda: now[0])
    assert report.erased == {"sales": 2}
    (kept,) = report.kept
    assert (len(kept.keys), kept.reason) == (4, "its lease ran out; run the command again")


def test_records_of_a_destination_that_is_gone_are_told(shop):
    shop.find_history()
    shop.work()
    (first, *_) = shop.conversations()
    meant = shop.ledger.erasures.meant(conversation=first)
    report = erase(replace(shop.engine, destinations={}, dispatchers={}), meant)
    assert report.kept == [
        Kept(destination="sales", keys=(first,), reason="the destination is not configured any more")
    ]
