"""Erase people: from the ledger, and from the CRMs by the receipts of their records.

The ledger's content is erased first, so that nothing more is sent; the receipts are deleted last, so
that an interrupted erasure can be run again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from chatferry.connector import Outcome
from chatferry.engine import Engine
from chatferry.errors import DeliveryError
from chatferry.ledger.deliveries.states import Delivery
from chatferry.ledger.leases import new_owner
from chatferry.ledger.snapshot import SnapshotUnreadable, load_receipt
from chatferry.logs import frames
from chatferry.model import Receipt

_POLL = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Records that are still in a CRM, and why."""

    destination: str
    keys: tuple[str, ...]
    reason: str


@dataclass(slots=True, kw_only=True)
class ErasureReport:
    """What was erased: conversations here, records per destination; and what was not."""

    conversations: int = 0
    erased: dict[str, int] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)


class _Busy(DeliveryError):
    """The destination's lease was not released in time."""


def erase(
    engine: Engine, conversations: Sequence[int], destination: str | None = None, *, timeout: float = 60.0
) -> ErasureReport:
    """Erase conversations, everywhere or for one destination only.

    :param conversations: as :meth:`Erasures.meant` numbers them.
    :param timeout: seconds to wait for a batch in flight.
    """
    ledger = engine.ledger.erasures
    if destination is None:
        ledger.tombstone(conversations, [*engine.destinations, *engine.unserved], engine.clock())
    else:
        ledger.tombstone_at(conversations, destination)
    report = ErasureReport(conversations=len(conversations))
    names = {one.destination for one in ledger.tombstones(conversations)}
    for name in sorted(names if destination is None else names & {destination}):
        _erase_at(engine, conversations, name, timeout, report)
    return report


def _erase_at(
    engine: Engine, conversations: Sequence[int], name: str, timeout: float, report: ErasureReport
) -> None:
    ledger = engine.ledger.erasures
    try:
        with _leased(engine, name, timeout) as keep:
            tombstones = [one for one in ledger.tombstones(conversations) if one.destination == name]
            recorded = [one for one in tombstones if one.receipt is not None]
            ledger.forget([one.id for one in tombstones if one.receipt is None])
            outcomes = _ask(engine, name, recorded, keep)
    except _Busy as error:
        keys = tuple(one.key for one in ledger.tombstones(conversations) if one.destination == name)
        report.kept.append(Kept(destination=name, keys=keys, reason=str(error)))
        return
    gone = [one.id for one, outcome in zip(recorded, outcomes, strict=True) if isinstance(outcome, Receipt)]
    ledger.forget(gone)
    if gone:
        report.erased[name] = len(gone)
    reasons: dict[str, list[str]] = defaultdict(list)
    for one, outcome in zip(recorded, outcomes, strict=True):
        if isinstance(outcome, DeliveryError):
            reasons[str(outcome)].append(one.key)
    report.kept += [
        Kept(destination=name, keys=tuple(keys), reason=reason) for reason, keys in reasons.items()
    ]


def _ask(
    engine: Engine, name: str, recorded: Sequence[Delivery], keep: Callable[[], bool]
) -> Sequence[Outcome]:
    """Return one outcome a receipt, whatever the connector does.

    :param keep: extends the lease; returns False if another process has it.
    """
    if not recorded:
        return []
    dispatcher = engine.dispatchers.get(name)
    if dispatcher is None:
        return [_out_of_reach(engine, name)] * len(recorded)
    outcomes: dict[int, Outcome] = {}
    receipts: dict[int, Receipt] = {}
    for one in recorded:
        try:
            receipts[one.id] = load_receipt(one.receipt) or Receipt()
        except SnapshotUnreadable as error:
            outcomes[one.id] = DeliveryError(f"{error}; erase the record in the CRM")
    size, ids = dispatcher.batch_size, list(receipts)
    for group in (ids[start : start + size] for start in range(0, len(ids), size)):
        if keep():
            erased = _erased(engine, name, [receipts[number] for number in group])
        else:
            erased = [DeliveryError("its lease ran out; run the command again")] * len(group)
        outcomes.update(zip(group, erased, strict=True))
    return [outcomes[one.id] for one in recorded]


def _out_of_reach(engine: Engine, name: str) -> DeliveryError:
    if name in engine.unserved:
        return DeliveryError(f"the destination is not served: {engine.unserved[name].reason}")
    return DeliveryError("the destination is not configured any more")


def _erased(engine: Engine, name: str, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
    error: DeliveryError
    try:
        outcomes = engine.dispatchers[name].erase(receipts)
    except NotImplementedError:
        error = DeliveryError("its connector cannot erase records; erase them in the CRM")
    except DeliveryError as raised:
        error = raised
    except Exception as raised:  # noqa: BLE001  (a plugin may raise anything)
        error = DeliveryError(f"its connector failed with {type(raised).__name__} at {frames(raised)}")
    else:
        honest = isinstance(outcomes, Sequence) and len(outcomes) == len(receipts)
        if honest and all(isinstance(outcome, Receipt | DeliveryError) for outcome in outcomes):
            return outcomes
        error = DeliveryError("its connector did not return one outcome a record")
    return [error] * len(receipts)


@contextmanager
def _leased(engine: Engine, name: str, timeout: float) -> Iterator[Callable[[], bool]]:
    """Take a destination's lease: a batch in flight could create a record again.

    Yields a function that extends the lease; it returns False if the lease was lost.
    """
    ledger = engine.ledger
    owner = new_owner()  # another than this process's, whose own batches must wait as well
    until = time.monotonic() + timeout
    # One that is not served here may be served by another process.
    known = name in engine.destinations or name in engine.unserved

    def take() -> bool:
        now = engine.clock()
        lease = engine.settings.runner.lease
        return not known or ledger.destinations.take(name, owner, now, now + lease)

    while not take():
        if time.monotonic() > until:
            raise _Busy("a batch is on its way; run the command again")
        time.sleep(_POLL)
    try:
        yield take
    finally:
        ledger.destinations.give_back(name, owner)
