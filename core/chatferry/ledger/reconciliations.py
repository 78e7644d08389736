"""Reconciliations: which period of which client was compared with iAdvize, and how far one got."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from chatferry.ledger.conversations import ClientKey
from chatferry.ledger.database import Database
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.sync_requests import SyncRequest, request_sync
from chatferry.ledger.tables import conversations, deliveries, reconciliations


class Kind(StrEnum):
    """By itself without gaps, by an operator's wish, or over a long past behind live traffic."""

    SCHEDULED = "scheduled"
    RECONCILE = "reconcile"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A client's comparison, under way or finished. ``cursor`` is the page to go on from.

    ``leads_nowhere`` says that iAdvize has more pages and does not say where; it is not kept.
    """

    id: int
    platform: str
    client_id: int
    kind: Kind
    since: float
    until: float
    cursor: str | None = None
    found: int = 0
    missing: int = 0
    finished: bool = False
    leads_nowhere: bool = False


class Reconciliations:
    """The comparisons the ledger remembers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self, clients: Collection[ClientKey], kind: Kind, since: float, until: float, now: float
    ) -> list[Progress]:
        """Begin to compare a period for every client, or go on where that was interrupted.

        All are written before the first is compared: what was interrupted can be distinguished from what was
        never begun, and a client that was finished from one that was not.
        """
        table = reconciliations.c
        same = (table.kind == kind.value, table.since == since, table.until == until)
        with self._database.write() as connection:
            rows = connection.execute(select(reconciliations).where(*same)).all()
            left = [row for row in rows if row.finished_at is None and _client(row) in clients]
            started = max((row.started_at for row in left), default=now)
            known = {_client(row): _progress(row) for row in rows if left and row.started_at == started}
            for platform, client_id in clients:
                if (platform, client_id) not in known:
                    statement = insert(reconciliations).values(
                        platform=platform,
                        client_id=client_id,
                        kind=kind.value,
                        since=since,
                        until=until,
                        started_at=started,
                    )
                    made = connection.execute(statement.returning(reconciliations)).one()
                    known[platform, client_id] = _progress(made)
        return [known[key] for key in clients]

    def record_page(
        self, progress: Progress, requests: Sequence[SyncRequest], *, finished_at: float | None = None
    ) -> None:
        """Ask for what a page shows to be read and remember how far the comparison got, or neither.

        :param finished_at: when that was the last page.
        """
        values = {"cursor": progress.cursor, "found": progress.found, "missing": progress.missing}
        with self._database.write() as connection:
            request_sync(connection, requests)
            connection.execute(
                update(reconciliations)
                .where(reconciliations.c.id == progress.id)
                .values(**values, finished_at=finished_at)
            )

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

    def unfinished(self, kind: Kind, clients: Collection[ClientKey]) -> tuple[float, float] | None:
        """Return the period of the newest comparison that was interrupted; None if there is none.

        :param clients: those that count; another may not be configured any more.
        """
        table = reconciliations.c
        query = (
            select(reconciliations)
            .where(table.kind == kind.value, table.finished_at.is_(None))
            .order_by(table.started_at.desc(), table.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return next(((row.since, row.until) for row in rows if _client(row) in clients), None)

    def interrupted(self, platform: str, client_id: int, after: float | None) -> tuple[float, float] | None:
        """Return the period of a client's scheduled comparison that was interrupted, if one was.

        :param after: what ended before then matters no more; None where nothing ever ended.
        """
        table = reconciliations.c
        query = (
            select(table.since, table.until)
            .where(
                table.platform == platform,
                table.client_id == client_id,
                table.kind == Kind.SCHEDULED.value,
                table.finished_at.is_(None),
                *(() if after is None else (table.until > after,)),
            )
            .order_by(table.since)
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.since, row.until)

    def on_their_way(self, since: float, until: float) -> tuple[int, int]:
        """Count what closed in a period and is not done: conversations to read, leads to deliver."""
        closed_then = conversations.c.close_announced_at.between(since, until)
        unread = select(func.count()).where(closed_then, conversations.c.due_at.is_not(None))
        undelivered = (
            select(func.count())
            .select_from(deliveries.join(conversations, deliveries.c.conversation == conversations.c.id))
            .where(
                closed_then, deliveries.c.state == DeliveryState.DUE.value, deliveries.c.due_at.is_not(None)
            )
        )
        with self._database.read(one_state=True) as connection:
            return connection.execute(unread).scalar_one(), connection.execute(undelivered).scalar_one()


def _client(row: Row[*tuple[Any, ...]]) -> ClientKey:
    return row.platform, row.client_id


def _progress(row: Row[*tuple[Any, ...]]) -> Progress:
    return Progress(
        id=row.id,
        platform=row.platform,
        client_id=row.client_id,
        kind=Kind(row.kind),
        since=row.since,
        until=row.until,
        cursor=row.cursor,
        found=row.found,
        missing=row.missing,
        finished=row.finished_at is not None,
    )
