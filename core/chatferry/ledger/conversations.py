"""Conversations that are due: leased to one sync at a time, recorded with what it decided."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    null,
    or_,
    select,
    update,
)

from chatferry.ledger.database import Database, refused_rows
from chatferry.ledger.deliveries.queueing import record_decisions
from chatferry.ledger.deliveries.states import Decided, DeliveryState
from chatferry.ledger.events import Events
from chatferry.ledger.locking import conversation_order, lock_conversations
from chatferry.ledger.sync_requests import SyncRequest, request_sync
from chatferry.ledger.tables import conversations, deliveries
from chatferry.model import Event

ClientKey: TypeAlias = tuple[str, int]
"""Platform and client id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLead:
    """A lead that a destination was given before, or is to be given; ``lead`` is its snapshot."""

    lead: bytes = field(repr=False)
    was_delivered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DueConversation:
    """A conversation leased to be read, with every event kept about it, oldest first.

    ``event_facts`` holds the facts of events that are pruned, ``listed_operators`` those that iAdvize's list
    of closed conversations named; ``most_messages`` and ``most_profile`` are the most that a reading
    showed, see :class:`~chatferry.leads.partial_readings.Extent`; ``earlier`` holds the leads that came of
    earlier readings, by destination, unless they are pruned.
    """

    id: int
    platform: str
    client_id: int
    conversation_id: str
    project_id: int | None
    visitor_id: str | None
    first_seen_at: float
    close_announced_at: float | None
    closed_at: float | None
    synced_at: float | None
    generation: int
    attempts: int
    is_backfill: int
    lease: int
    most_messages: int = 0
    most_profile: int = 0
    event_facts: str | None = field(default=None, repr=False)
    listed_operators: Sequence[int] | None = None
    events: tuple[Event, ...] = ()
    earlier: Mapping[str, EarlierLead] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What a sync made of a conversation.

    ``due_at`` is when it is to be read again, None if only a new event is a reason to. ``problem``
    says why it could not be read; ``decisions`` hold one entry a destination if it could. ``event_facts``
    replace those it had.
    """

    due: DueConversation
    due_at: float | None = None
    problem: str | None = None
    synced_at: float | None = None
    closed_at: float | None = None
    visitor_id: str | None = None
    project_id: int | None = None
    most_messages: int | None = None
    most_profile: int | None = None
    event_facts: str | None = field(default=None, repr=False)
    decisions: Sequence[Decided] = ()


class Conversations:
    """The conversations the ledger knows."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database = database
        self._events = events

    def lease(
        self,
        owner: str,
        now: float,
        until: float,
        limit: int,
        *,
        fewer: Mapping[ClientKey, int] = MappingProxyType({}),
        but: Collection[ClientKey] = (),
    ) -> list[DueConversation]:
        """Lease up to ``limit`` due conversations of one client, or return none.

        No other thread gets them before ``until``; live ones come before those of a backfill.

        :param fewer: clients that have a limit of their own.
        :param but: clients whose conversations are left alone this time.
        """
        query = _first(but)
        with self._database.read() as connection:
            if connection.execute(query, {"now": now}).first() is None:
                return []
        with self._database.write() as connection:
            first = connection.execute(query, {"now": now}).first()
            if first is None:
                return []
            most = fewer.get((first.platform, first.client_id), limit)
            rows = (
                connection.execute(
                    _OF_CLIENT,
                    {"now": now, "platform": first.platform, "client": first.client_id, "limit": most},
                )
                .mappings()
                .all()
            )
            connection.execute(_LEASE, {"ids": [row["id"] for row in rows], "owner": owner, "until": until})
        # Outside the lock: an event that comes meanwhile makes its conversation due again.
        with self._database.read() as connection:
            events = self._events.of(connection, [row["conversation_id"] for row in rows])
            earlier = _earlier(connection, [row["id"] for row in rows if row["synced_at"] is not None])
        return [_leased(row, events, earlier) for row in rows]

    def record_sync(
        self, owner: str, results: Sequence[SyncResult], now: float
    ) -> Sequence[tuple[SyncResult, Exception]]:
        """Record what a sync decided; return the results that the database refuses, each with the error.

        A conversation whose lease ran out is another thread's by now, even of the same owner's, and is
        left alone. One that a new request made due since it was leased stays due.
        """
        return refused_rows(results, lambda part: self._record(owner, part, now))

    def _record(self, owner: str, results: Sequence[SyncResult], now: float) -> None:
        with self._database.write() as connection:
            meant = {"ids": [one.due.id for one in results], "owner": owner}
            ours = {(row.id, row.lease) for row in connection.execute(_ours(connection.dialect.name), meant)}
            mine = [one for one in results if (one.due.id, one.due.lease) in ours]
            if mine:
                connection.execute(_RECORD, [_recorded(one) for one in mine])
                record_decisions(
                    connection,
                    [(one.due.id, one.due.is_backfill, d) for one in mine for d in one.decisions],
                    now,
                )

    def extend(self, owner: str, ids: Sequence[int], until: float) -> None:
        """Keep conversations that ``owner`` leased and is still reading."""
        if ids:
            self._lease_anew(owner, ids, leased_until=until)

    def give_back(self, owner: str, ids: Sequence[int]) -> None:
        """Let conversations be leased anew which ``owner`` leased and could not record."""
        self._lease_anew(owner, ids, leased_by=None, leased_until=None)

    def _lease_anew(self, owner: str, ids: Sequence[int], **values: object) -> None:
        theirs = and_(conversations.c.id.in_(ids), _leased_by(owner))
        with self._database.write() as connection:
            lock_conversations(connection, theirs)
            connection.execute(update(conversations).where(theirs).values(**values))

    def request_sync(self, requests: Sequence[SyncRequest]) -> None:
        """Ask for conversations to be read."""
        with self._database.write() as connection:
            request_sync(connection, requests)

    def unknown(
        self,
        platform: str,
        client_id: int,
        ids: Sequence[str],
        *,
        more_is_known_of: Collection[str] = (),
        parked_because: str = "",
    ) -> list[str]:
        """Return those of ``ids`` that were never read after they closed, and never erased.

        :param more_is_known_of: of these also those with a delivery parked for the reason ``parked_because``.
        """
        query = select(conversations.c.conversation_id).where(
            conversations.c.platform == platform,
            conversations.c.client_id == client_id,
            conversations.c.conversation_id.in_(ids),
            or_(
                and_(conversations.c.closed_at.is_not(None), ~_parked(more_is_known_of, parked_because)),
                conversations.c.erased_at.is_not(None),
            ),
        )
        with self._database.read() as connection:
            known = set(connection.execute(query).scalars())
        return [one for one in ids if one not in known]


def _parked(ids: Collection[str], reason: str) -> ColumnElement[bool]:
    parked = exists().where(
        deliveries.c.conversation == conversations.c.id,
        deliveries.c.state == DeliveryState.PARKED.value,
        deliveries.c.reason == reason,
    )
    return and_(conversations.c.conversation_id.in_(ids), parked)


def _leased_by(owner: str) -> ColumnElement[bool]:
    return conversations.c.leased_by == owner


def _free(now: ColumnElement[float]) -> ColumnElement[bool]:
    table = conversations.c
    # Naming both values of ``is_backfill`` lets SQLite look up instead of going through what is due later.
    return and_(
        table.is_backfill.in_((0, 1)),
        table.due_at <= now,
        or_(table.leased_until.is_(None), table.leased_until < now),
    )


_NOW: ColumnElement[float] = bindparam("now")

_FIRST = (
    select(conversations.c.platform, conversations.c.client_id)
    .where(_free(_NOW))
    .order_by(conversations.c.is_backfill, conversations.c.due_at)
    .limit(1)
)


def _first(but: Collection[ClientKey]) -> Select[tuple[str, int]]:
    table = conversations.c
    return _FIRST.where(
        *(or_(table.platform != platform, table.client_id != client) for platform, client in but)
    )


_OF_CLIENT = (
    select(
        *(
            conversations.c[name]
            for name in DueConversation.__dataclass_fields__
            if name not in {"events", "earlier"}
        )
    )
    .where(
        _free(_NOW),
        conversations.c.platform == bindparam("platform"),
        conversations.c.client_id == bindparam("client"),
    )
    .order_by(conversations.c.is_backfill, conversations.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)

_LEASE = (
    update(conversations)
    .where(conversations.c.id.in_(bindparam("ids", expanding=True)))
    .values(leased_by=bindparam("owner"), leased_until=bindparam("until"), lease=conversations.c.lease + 1)
)


@cache  # to build a statement takes longer than to execute it
def _ours(dialect: str) -> Select[int, int]:
    return (
        select(conversations.c.id, conversations.c.lease)
        .where(
            conversations.c.id.in_(bindparam("ids", expanding=True)),
            conversations.c.leased_by == bindparam("owner"),
        )
        .order_by(*conversation_order(dialect))
        .with_for_update()
    )


_RECORD = (
    update(conversations)
    .where(conversations.c.id == bindparam("of_id"))
    .values(
        leased_by=None,
        leased_until=None,
        due_at=case(
            (conversations.c.generation > bindparam("seen"), conversations.c.due_at), else_=bindparam("due")
        ),
        problem=bindparam("why"),
        waiting_since=case(
            (bindparam("why", Text).is_(None), null()),
            else_=func.coalesce(conversations.c.waiting_since, conversations.c.due_at),
        ),
        attempts=bindparam("tries"),
        synced_at=func.coalesce(bindparam("synced"), conversations.c.synced_at),
        closed_at=func.coalesce(bindparam("closed"), conversations.c.closed_at),
        visitor_id=func.coalesce(bindparam("visitor"), conversations.c.visitor_id),
        project_id=func.coalesce(bindparam("project"), conversations.c.project_id),
        most_messages=func.coalesce(bindparam("messages"), conversations.c.most_messages),
        most_profile=func.coalesce(bindparam("profile"), conversations.c.most_profile),
        event_facts=func.coalesce(bindparam("facts", Text), conversations.c.event_facts),
    )
)


def _recorded(one: SyncResult) -> dict[str, object]:
    return {
        "of_id": one.due.id,
        "seen": one.due.generation,
        "due": one.due_at,
        "why": one.problem,
        "tries": one.due.attempts + 1 if one.problem else 0,
        "synced": one.synced_at,
        "closed": one.closed_at,
        "visitor": one.visitor_id,
        "project": one.project_id,
        "messages": one.most_messages,
        "profile": one.most_profile,
        "facts": one.event_facts,
    }


def _leased(
    row: RowMapping,
    events: Mapping[str, Sequence[Event]],
    earlier: Mapping[int, Mapping[str, EarlierLead]],
) -> DueConversation:
    listed = row["listed_operators"]
    changed = {"lease": row["lease"] + 1, "listed_operators": None if listed is None else json.loads(listed)}
    return DueConversation(
        **{**row, **changed},
        events=_about(row, events),
        earlier=earlier.get(row["id"], {}),
    )


def _earlier(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, EarlierLead]]:
    """Return what came of earlier readings, by conversation and destination."""
    found: dict[int, dict[str, EarlierLead]] = {}
    for row in connection.execute(_EARLIER, {"ids": ids}) if ids else ():
        lead = EarlierLead(lead=row.lead, was_delivered=row.delivered_version is not None)
        found.setdefault(row.conversation, {})[row.destination] = lead
    return found


_EARLIER = select(
    deliveries.c.conversation, deliveries.c.destination, deliveries.c.lead, deliveries.c.delivered_version
).where(deliveries.c.conversation.in_(bindparam("ids", expanding=True)), deliveries.c.lead.is_not(None))


def _about(row: RowMapping, events: Mapping[str, Sequence[Event]]) -> tuple[Event, ...]:
    """Two clients may use one id: an event is about the conversation of its own client."""
    return tuple(
        event
        for event in events.get(str(row["conversation_id"]), ())
        if event.platform == row["platform"] and event.client_id == row["client_id"]
    )
