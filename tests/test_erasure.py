from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chatferry.connector import Connector, Outcome
from chatferry.erasure import Kept, erase
from chatferry.errors import PermanentFailure, TemporaryFailure
from chatferry.handover import Handover
from chatferry.model import Receipt
from chatferry.testing.sample.connector import SampleConnector


@pytest.fixture
def erasing(shop) -> Callable[..., object]:
    """Let a connector erase in its own way, and erase six delivered conversations."""
    shop.find_history()
    shop.work()
    everybody = [
        number for key in shop.conversations() for number in shop.ledger.erasures.meant(conversation=key)
    ]

    def run(way: Callable[[list[Receipt]], list[Outcome]], **options: float) -> object:
        sales = shop.engine.destinations["sales"]
        connector = sales.handover._connector

        class Odd(SampleConnector):
            def __init__(self) -> None:
                Connector.__init__(self, connector.settings, connector.context)

            def erase(self, receipts):
                return way(list(receipts))

        odd = replace(sales, handover=Handover("sales", Odd))
        engine = replace(shop.engine, destinations={"sales": odd})
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
    shop.ledger.leases.take_turn("sales", owner, now, now + 60)
    report = erasing(lambda receipts: receipts, patience=0.1)
    assert report.erased == {}
    assert "run the command again" in report.kept[0].reason


def test_records_of_a_destination_that_is_gone_are_told(shop):
    shop.find_history()
    shop.work()
    (first, *_) = shop.conversations()
    meant = shop.ledger.erasures.meant(conversation=first)
    report = erase(replace(shop.engine, destinations={}), meant)
    assert report.kept == [
        Kept(destination="sales", keys=(first,), reason="the destination is not configured any more")
    ]
