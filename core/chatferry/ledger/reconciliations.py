"""Reconciliations: which period of which client was compared with iAdvize, and how far one got."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, insert, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.decisions import State
from chatferry.ledger.tables import conversations, deliveries, reconciliations


class Kind(StrEnum):
    """By itself without gaps, by an operator's wish, or over a long past behind live traffic."""

    SCHEDULED = "scheduled"
    RECONCILE = "reconcile"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A comparison under way. ``cursor`` is the page to go on from."""

    id: int
    platform: str
    client_id: int
    kind: Kind
    since: float
    until: float
    cursor: str | None = None
    found: int = 0
    missing: int = 0


class Reconciliations:
    """The comparisons the ledger remembers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self, platform: str, client_id: int, kind: Kind, since: float, until: float, now: float
    ) -> Progress:
        """Begin a comparison, or go on with an unfinished one of the same period."""
        table = reconciliations.c
        unfinished = select(reconciliations).where(
            table.platform == platform,
            table.client_id == client_id,
            table.kind == kind.value,
            table.since == since,
            table.until == until,
            table.finished_at.is_(None),
        )
        values = {"platform": platform, "client_id": client_id, "kind": kind.value, "since": since}
        with self._database.write() as connection:
            row = connection.execute(unfinished).first()
            if row is None:
                made = connection.execute(
                    insert(reconciliations).values(**values, until=until, found=0, missing=0, started_at=now)
                )
                (number,) = made.inserted_primary_key or (0,)
                return Progress(
                    id=number, platform=platform, client_id=client_id, kind=kind, since=since, until=until
                )
        return Progress(
            id=row.id,
            platform=platform,
            client_id=client_id,
            kind=kind,
            since=since,
            until=until,
            cursor=row.cursor,
            found=row.found,
            missing=row.missing,
        )

    def advance(self, progress: Progress) -> None:
        """Remember how far a comparison got."""
        self._set(progress.id, cursor=progress.cursor, found=progress.found, missing=progress.missing)

    def finish(self, progress: Progress, now: float) -> None:
        """Remember that a comparison is complete."""
        self._set(progress.id, cursor=None, found=progress.found, missing=progress.missing, finished_at=now)

    def complete_until(self, platform: str, client_id: int) -> float | None:
        """Return the time up to which a client was compared without gaps; None if it never was.

        What an operator compares leaves gaps, and does not count.
        """
        table = reconciliations.c
        query = select(func.max(table.until)).where(
            table.platform == platform,
            table.client_id == client_id,
            table.kind == Kind.SCHEDULED.value,
            table.finished_at.is_not(None),
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def unfinished(self, kind: Kind) -> tuple[float, float] | None:
        """Return the period of the newest comparison that was interrupted; None if there is none."""
        table = reconciliations.c
        query = (
            select(table.since, table.until)
            .where(table.kind == kind.value, table.finished_at.is_(None))
            .order_by(table.started_at.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.since, row.until)

    def interrupted(self, platform: str, client_id: int, since: float) -> float | None:
        """Return the end of a scheduled comparison since then that was interrupted, if one was."""
        table = reconciliations.c
        query = select(func.max(table.until)).where(
            table.platform == platform,
            table.client_id == client_id,
            table.kind == Kind.SCHEDULED.value,
            table.since == since,
            table.finished_at.is_(None),
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def on_their_way(self, since: float, until: float) -> tuple[int, int]:
        """Count what closed in a period and is not done: conversations to read, leads to deliver."""
        closed_then = conversations.c.close_heard_at.between(since, until)
        unread = select(func.count()).where(closed_then, conversations.c.due_at.is_not(None))
        undelivered = (
            select(func.count())
            .select_from(deliveries.join(conversations, deliveries.c.conversation == conversations.c.id))
            .where(closed_then, deliveries.c.state == State.DUE.value, deliveries.c.due_at.is_not(None))
        )
        with self._database.read() as connection:
            return connection.execute(unread).scalar_one(), connection.execute(undelivered).scalar_one()

    def _set(self, number: int, **values: object) -> None:
        with self._database.write() as connection:
            connection.execute(update(reconciliations).where(reconciliations.c.id == number).values(**values))
