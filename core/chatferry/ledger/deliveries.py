"""Deliveries that are due: leased to one batch a destination, settled with what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, case, func, null, or_, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.decisions import ERASED, DeliveryState
from chatferry.ledger.leases import give_back_destination, lease_destination
from chatferry.ledger.locking import lock_deliveries
from chatferry.ledger.stale_writes import ANEW, STALE, WRITTEN_OVER, written_over
from chatferry.ledger.tables import deliveries, destinations
from chatferry.model import Lead


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A delivery leased to be handed over; ``lead`` is the snapshot of what was queued."""

    id: int
    conversation: int
    key: str
    version: int
    fingerprint: str
    lead: bytes | None = field(repr=False)
    receipt: str | None
    attempts: int
    failing_since: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What became of a delivery: delivered with a receipt, due again at ``due_at``, or dead.

    ``counted`` is False where the failure was not the lead's own.
    """

    delivery: DueDelivery
    state: DeliveryState
    due_at: float | None = None
    receipt: str | None = None
    reason: str | None = None
    crm_message: str | None = field(default=None, repr=False)
    code: str | None = None
    reference: str | None = None
    counted: bool = True


class Deliveries:
    """The leads on their way."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(
        self, destination: str, owner: str, now: float, until: float, *, limit: int, linger: float
    ) -> list[DueDelivery]:
        """Lease a destination and return up to ``limit`` of its due deliveries, oldest first.

        The batch shrinks by half with each one that failed as a whole, so that a lead whose batches
        never pass ends up alone, and with it the fault. Nothing is returned while the destination is
        parked or in somebody else's hands, or while fewer than ``limit`` are due and the oldest waits
        for company since less than ``linger``.
        """
        if not self._worth_a_batch(destination, now, limit, linger):
            return []
        with self._database.write() as connection:
            if not lease_destination(connection, destination, owner, now, until):
                return []
            failures = connection.execute(_FAILURES, {"destination": destination}).scalar_one()
            fewer = max(1, limit >> min(failures, 16))
            rows = connection.execute(_DUE, {"destination": destination, "now": now, "limit": fewer}).all()
            if not rows:
                give_back_destination(connection, destination, owner)
        return [DueDelivery(**row._mapping) for row in rows]  # noqa: SLF001  (a public name despite the underscore)

    def _worth_a_batch(self, destination: str, now: float, limit: int, linger: float) -> bool:
        with self._database.read() as connection:
            waiting = connection.execute(
                _WAITING, {"destination": destination, "now": now, "limit": limit}
            ).scalars()
            since = list(waiting)
        return bool(since) and (len(since) >= limit or min(since) <= now - linger)

    def record_attempts(self, handed: Sequence[AttemptResult], now: float) -> None:
        """Write what became of a batch.

        A delivery that got newer content meanwhile is due with it, even if somebody else has delivered
        it or is about to: an older batch that ends late may have overwritten it. What the CRM said of
        the older content is kept all the same, unless it has said something of newer content since.
        What somebody else delivered meanwhile has not failed.
        """
        delivered = [one for one in handed if one.state is DeliveryState.DELIVERED]
        failed = [one for one in handed if one.state is not DeliveryState.DELIVERED]
        ids = [one.delivery.id for one in handed]
        with self._database.write() as connection:
            lock_deliveries(connection, deliveries.c.id.in_(ids))
            if delivered:
                connection.execute(_DELIVERED, [_delivered(one, now) for one in delivered])
            if failed:
                connection.execute(_FAILED, [_failed(one, now) for one in failed])
            # What failed may have been written all the same, unless the CRM plainly refused it.
            if unsure := [one for one in failed if one.state is DeliveryState.DUE and one.counted]:
                connection.execute(WRITTEN_OVER, [_meant(one, now) for one in unsure])

    def overwritten(self, destination: str, lead: Lead, now: float) -> None:
        """Have a lead written once more if it has got newer content since ``lead``, written only now."""
        with self._database.write() as connection:
            written_over(connection, destination, lead, now)

    def prune(self, before: float) -> int:
        """Drop the content of leads delivered, discarded or left out before a time; return how many.

        What the CRM said is kept.
        """
        dropped = 0
        while ids := self._with_content(before):
            with self._database.write() as connection:
                which = and_(deliveries.c.id.in_(ids), _is_done(before))
                lock_deliveries(connection, which)
                done = connection.execute(
                    update(deliveries).where(which).values(lead=None, email=None, crm_message=None)
                )
            dropped += done.rowcount
        return dropped

    def _with_content(self, before: float) -> Sequence[int]:
        """Return some of those to drop: few enough that nobody waits long for the lock."""
        with self._database.read() as connection:
            query = select(deliveries.c.id).where(_is_done(before)).limit(PRUNED_AT_ONCE)
            return connection.execute(query).scalars().all()


PRUNED_AT_ONCE: Final = 1000
"""Rows a transaction drops: others want to write, too."""

_DONE = (DeliveryState.DELIVERED, DeliveryState.DISCARDED, DeliveryState.SKIPPED)


def _is_done(before: float) -> ColumnElement[bool]:
    table = deliveries.c
    return and_(
        table.state.in_([state.value for state in _DONE]),
        table.queued_at < before,
        func.coalesce(table.delivered_at, table.queued_at) < before,
        or_(table.lead.is_not(None), table.email.is_not(None)),
        func.coalesce(table.reason, "") != ERASED,
    )


def _is_due(destination: ColumnElement[str], now: ColumnElement[float]) -> ColumnElement[bool]:
    # Naming both values of ``is_backfill`` lets SQLite look up instead of going through what is due later.
    table = deliveries.c
    return and_(table.destination == destination, table.is_backfill.in_((0, 1)), table.due_at <= now)


_DESTINATION: ColumnElement[str] = bindparam("destination")
_NOW: ColumnElement[float] = bindparam("now")

_WAITING = (
    select(deliveries.c.due_at)
    .where(_is_due(_DESTINATION, _NOW))
    .order_by(deliveries.c.is_backfill, deliveries.c.due_at)
    .limit(bindparam("limit"))
)

_DUE = (
    select(*(deliveries.c[name] for name in DueDelivery.__dataclass_fields__))
    .where(_is_due(_DESTINATION, _NOW))
    .order_by(deliveries.c.is_backfill, deliveries.c.due_at)
    .limit(bindparam("limit"))
)

_FAILURES = select(destinations.c.failures).where(destinations.c.name == _DESTINATION)

_UNCHANGED = deliveries.c.version == bindparam("of_version")

_NEWEST = func.coalesce(deliveries.c.delivered_version, 0) <= bindparam("of_version")

_DELIVERED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of_id"))
    .values(
        state=case((_UNCHANGED, DeliveryState.DELIVERED.value), (STALE, ANEW["state"]), else_=deliveries.c.state),
        due_at=case((_UNCHANGED, null()), (STALE, ANEW["due_at"]), else_=deliveries.c.due_at),
        reason=case((_UNCHANGED, null()), (STALE, ANEW["reason"]), else_=deliveries.c.reason),
        version=case((STALE, ANEW["version"]), else_=deliveries.c.version),
        crm_message=None,
        code=None,
        reference=None,
        failing_since=None,
        attempts=0,
        delivered_at=bindparam("at"),
        delivered_version=case((_NEWEST, bindparam("of_version")), else_=deliveries.c.delivered_version),
        delivered_fingerprint=case((_NEWEST, bindparam("what")), else_=deliveries.c.delivered_fingerprint),
        # None where it was erased since: somebody has to know of what there is again.
        receipt=case(
            (or_(_NEWEST, deliveries.c.receipt.is_(None)), bindparam("said")), else_=deliveries.c.receipt
        ),
    )
)

_FAILED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of_id"), _UNCHANGED, deliveries.c.state == DeliveryState.DUE.value)
    .values(
        state=bindparam("into"),
        due_at=bindparam("due"),
        reason=bindparam("why"),
        crm_message=bindparam("said_message"),
        code=bindparam("own_code"),
        reference=bindparam("own_reference"),
        attempts=deliveries.c.attempts + bindparam("tries"),
        failing_since=func.coalesce(deliveries.c.failing_since, bindparam("since")),
    )
)


def _meant(one: AttemptResult, now: float) -> dict[str, object]:
    return {"of_id": one.delivery.id, "of_version": one.delivery.version, "at": now}


def _delivered(one: AttemptResult, now: float) -> dict[str, object]:
    return {
        **_meant(one, now),
        "what": one.delivery.fingerprint,
        "said": one.receipt,
    }


def _failed(one: AttemptResult, now: float) -> dict[str, object]:
    return {
        "of_id": one.delivery.id,
        "of_version": one.delivery.version,
        "into": one.state.value,
        "due": one.due_at,
        "why": one.reason,
        "said_message": one.crm_message,
        "own_code": one.code,
        "own_reference": one.reference,
        "tries": 1 if one.counted else 0,
        "since": now if one.counted else None,
    }
