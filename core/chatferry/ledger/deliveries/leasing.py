"""Batches of due deliveries: leased with their destination, ended with what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, bindparam, select

from chatferry.ledger.database import REFUSALS, Database, refused_rows
from chatferry.ledger.deliveries import attempts
from chatferry.ledger.deliveries.pruning import prune_leads
from chatferry.ledger.deliveries.stale_writes import rewrite_stale
from chatferry.ledger.deliveries.states import (
    SELECT_DELIVERY,
    AttemptResult,
    Delivery,
    DeliveryState,
    delivery_of,
)
from chatferry.ledger.destinations import BatchEnd, DestinationState, end_batch, lease_destination, release
from chatferry.ledger.tables import deliveries
from chatferry.model import Lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Due deliveries leased together, and how their destination is; ``deliveries`` may be empty."""

    destination: DestinationState
    deliveries: Sequence[Delivery] = field(default_factory=list)


class Deliveries:
    """The leads on their way."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(
        self, destination: str, owner: str, now: float, until: float, *, limit: int, linger: float
    ) -> Batch:
        """Lease a destination and up to ``limit`` of its due deliveries, oldest first.

        The batch shrinks by half with each one that failed as a whole, so that a lead whose batches
        never pass ends up alone, and with it the fault. Nothing is leased while the destination is
        paused or leased by another owner, or while fewer than ``limit`` are due and the oldest has
        waited for company for less than ``linger`` seconds.
        """
        nothing = Batch(destination=DestinationState(name=destination))
        if not self._worth_a_batch(destination, now, limit, linger):
            return nothing
        with self._database.write() as connection:
            state = lease_destination(connection, destination, owner, now, until)
            if state is None:
                return nothing
            fewer = max(1, limit >> min(state.failures, 16))
            due = {"destination": destination, "now": now, "limit": fewer}
            rows = connection.execute(_DUE, due).mappings().all()
            if not rows:
                release(connection, destination, owner)
        return Batch(destination=state, deliveries=[delivery_of(row) for row in rows])

    def _worth_a_batch(self, destination: str, now: float, limit: int, linger: float) -> bool:
        with self._database.read() as connection:
            waiting = connection.execute(
                _WAITING, {"destination": destination, "now": now, "limit": limit}
            ).scalars()
            since = list(waiting)
        return bool(since) and (len(since) >= limit or min(since) <= now - linger)

    def record_attempts(
        self, results: Sequence[AttemptResult], now: float, end: BatchEnd | None = None
    ) -> Sequence[tuple[AttemptResult, Exception]]:
        """Write what became of a batch and end its lease, in one transaction.

        A result that the database does not take ends its delivery as dead, with the reason; return
        those, each with the error.

        :param end: how the lease of the destination ends; None leaves it as it is.
        """
        try:
            self._record(results, now, end)
        except REFUSALS:
            refused = refused_rows(results, lambda part: self._record(part, now, None))
            self._record([_unwritable(one, error) for one, error in refused], now, end)
            return refused
        return []

    def _record(self, results: Sequence[AttemptResult], now: float, end: BatchEnd | None) -> None:
        with self._database.write() as connection:
            attempts.record(connection, results, now)
            if end is not None:
                end_batch(connection, end)

    def rewrite_stale(self, destination: str, lead: Lead, now: float) -> None:
        """Have a lead written once more if it has got newer content since ``lead``, written only now."""
        with self._database.write() as connection:
            rewrite_stale(connection, destination, lead, now)

    def prune(self, before: float) -> int:
        """Drop the content of leads delivered, discarded or left out before a time; return how many.

        What the CRM said is kept.
        """
        return prune_leads(self._database, before)


def _unwritable(result: AttemptResult, error: Exception) -> AttemptResult:
    reason = f"what became of it cannot be written ({type(error).__name__})"
    return AttemptResult(delivery=result.delivery, state=DeliveryState.DEAD, reason=reason)


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
    SELECT_DELIVERY.where(_is_due(_DESTINATION, _NOW))
    .order_by(deliveries.c.is_backfill, deliveries.c.due_at)
    .limit(bindparam("limit"))
)
