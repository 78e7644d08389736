from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from chatferry.accept.group_commit import GroupCommit
from chatferry.errors import LedgerRefused, LedgerUnavailable
from chatferry.ledger.events import Admission
from chatferry.model import Event


class Store:
    """Keeps what is committed; a commit that holds a poisoned item keeps nothing of it."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()

    def commit(self, items: Sequence[str]) -> None:
        self.entered.set()
        self.gate.wait(5)
        if "poison" in items:
            raise ValueError("poison")
        self.groups.append(list(items))


def test_what_waits_while_a_commit_runs_is_committed_together():
    store = Store()
    group = GroupCommit(store.commit)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(group.submit, "first")
        store.entered.wait(5)
        others = [pool.submit(group.submit, f"e{number}") for number in range(8)]
        while len(group._queue) < 8:
            pass
        store.gate.set()
        for future in [first, *others]:
            future.result(5)
    assert store.groups[0] == ["first"]
    assert sorted(store.groups[1]) == [f"e{number}" for number in range(8)]


def test_one_poisoned_item_fails_alone():
    store = Store()
    group = GroupCommit(store.commit)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(group.submit, "first")
        store.entered.wait(5)
        good, bad = pool.submit(group.submit, "good"), pool.submit(group.submit, "poison")
        while len(group._queue) < 2:
            pass
        store.gate.set()
        first.result(5)
        good.result(5)
        with pytest.raises(ValueError, match="poison"):
            bad.result(5)
    assert [item for items in store.groups for item in items] == ["first", "good"]


def test_a_group_has_a_largest_size():
    store = Store()
    group = GroupCommit(store.commit, largest=3)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(group.submit, "first")
        store.entered.wait(5)
        others = [pool.submit(group.submit, f"e{number}") for number in range(7)]
        while len(group._queue) < 7:
            pass
        store.gate.set()
        for future in [first, *others]:
            future.result(5)
    assert [len(items) for items in store.groups] == [1, 3, 3, 1]


def test_a_ledger_that_is_away_is_asked_once_for_all_who_wait():
    asked = []
    entered, gate = threading.Event(), threading.Event()

    def commit(items: Sequence[str]) -> None:
        asked.append(len(items))
        entered.set()
        gate.wait(5)
        raise LedgerUnavailable("away")

    group = GroupCommit(commit)
    with ThreadPoolExecutor(9) as pool:
        futures = [pool.submit(group.submit, "first")]
        entered.wait(5)
        futures += [pool.submit(group.submit, f"e{number}") for number in range(8)]
        while len(group._queue) < 8:
            pass
        gate.set()
        errors = [future.exception(5) for future in futures]
    assert asked == [1, 8]
    assert {str(error) for error in errors} == {"away"}


def test_data_the_ledger_refuses_take_nobody_else_down(ledger):
    """``platform`` has to be there: both databases say so, whatever else they let pass."""
    admissions = [
        Admission(
            event=Event(
                event_id=f"e{number}",
                event_type="v2.conversation.closed",
                platform=platform,
                client_id=335,
                received_at=datetime.fromtimestamp(0, UTC),
                body=b"{}",
            )
        )
        for number, platform in enumerate(["ha", None, "sd"])
    ]
    entered, gate = threading.Event(), threading.Event()

    def commit(items: Sequence[Admission]) -> None:
        entered.set()
        gate.wait(5)
        ledger.events.accept(items)

    group = GroupCommit(commit)
    with ThreadPoolExecutor(4) as pool:
        pool.submit(group.submit, admissions[0])
        entered.wait(5)
        futures = [pool.submit(group.submit, one) for one in admissions]
        while len(group._queue) < 3:
            pass
        gate.set()
        errors = [future.exception(20) for future in futures]
    assert [type(error) for error in errors] == [type(None), LedgerRefused, type(None)]
