"""How things stand: what waits, since when, what is wrong, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, or_, select

from chatferry.ledger.database import Database
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.destinations import Destinations, DestinationState
from chatferry.ledger.events import Events
from chatferry.ledger.tables import conversations, deliveries, events


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits of one kind; ``oldest`` is since when the longest waiting does."""

    waiting: int
    oldest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBacklog:
    """What waits to be read: what is ``due`` now, and what ``failed`` and is read again later.

    ``oldest`` is since when the longest of both waits, whatever was tried meanwhile; ``failing_since``
    the same of what failed and ``idle_since`` of what was not tried yet, backfill left out.
    ``later`` are running conversations, and others whose time has not come.
    """

    due: int
    failed: int
    later: int
    oldest: float | None
    failing_since: float | None
    idle_since: float | None

    @property
    def waiting(self) -> int:
        """How many there are in all."""
        return self.due + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationStatus:
    """A destination, how many deliveries it has in each state, what waits, and since when leads fail."""

    destination: DestinationState
    deliveries: Mapping[DeliveryState, int]
    queue: Queue
    failing_since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How things stand. ``problems`` says why conversations are not read, ``kept`` why events did nothing."""

    events: int
    conversations: int
    reading: ReadingBacklog
    destinations: Sequence[DestinationStatus]
    problems: Sequence[tuple[str, int]]
    kept: Sequence[tuple[str, int]]


def status(database: Database, now: float) -> Status:
    """Look how things stand."""
    states = Destinations(database).states()
    with database.read(one_state=True) as connection:
        problems = (
            select(conversations.c.problem, func.count())
            .where(conversations.c.problem.is_not(None))
            .group_by(conversations.c.problem)
            .order_by(func.count().desc())
        )
        by_state = select(
            deliveries.c.destination,
            deliveries.c.state,
            func.count(),
            func.min(deliveries.c.queued_at),
            func.min(deliveries.c.failing_since),
        ).group_by(deliveries.c.destination, deliveries.c.state)
        rows = connection.execute(by_state).all()
        return Status(
            events=connection.execute(select(func.count()).select_from(events)).scalar_one(),
            conversations=connection.execute(select(func.count()).select_from(conversations)).scalar_one(),
            reading=_reading(connection, now),
            destinations=[
                _destination(states.get(name, DestinationState(name=name)), [r for r in rows if r[0] == name])
                for name in sorted({*states, *(row[0] for row in rows)})
            ],
            problems=[(row[0], row[1]) for row in connection.execute(problems)],
            kept=Events(database).refused(connection),
        )


def _reading(connection: Connection, now: float) -> ReadingBacklog:
    table = conversations.c
    due, tried = table.due_at <= now, table.waiting_since.is_not(None)
    since = func.coalesce(table.waiting_since, table.due_at)
    counted = {
        "due": func.count().filter(due),
        "failed": func.count().filter(table.due_at > now, tried),
        "later": func.count().filter(table.due_at > now, table.waiting_since.is_(None)),
        "oldest": func.min(since).filter(or_(due, tried)),
        "failing_since": func.min(table.waiting_since),
        "idle_since": func.min(table.due_at).filter(
            due, table.waiting_since.is_(None), table.is_backfill == 0
        ),
    }
    query = select(*(value.label(name) for name, value in counted.items())).where(table.due_at.is_not(None))
    return ReadingBacklog(**connection.execute(query).mappings().one())


def _destination(state: DestinationState, rows: Sequence[Sequence[Any]]) -> DestinationStatus:
    counts = {DeliveryState(row[1]): row[2] for row in rows}
    oldest = next((row[3] for row in rows if row[1] == DeliveryState.DUE), None)
    return DestinationStatus(
        failing_since=next((row[4] for row in rows if row[1] == DeliveryState.DUE), None),
        destination=state,
        deliveries={one: counts.get(one, 0) for one in DeliveryState},
        queue=Queue(waiting=counts.get(DeliveryState.DUE, 0), oldest=oldest),
    )
