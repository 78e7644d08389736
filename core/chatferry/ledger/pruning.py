"""Dropping events that have done their work, but not the facts that only they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, or_, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.event_rows import event_of
from chatferry.ledger.locking import lock_conversations, lock_events
from chatferry.ledger.tables import conversations, events
from chatferry.model import Event

PRUNED_AT_ONCE: Final = 1000
"""Rows a transaction drops: other writers wait for it."""


Retain: TypeAlias = Callable[[Sequence[Event], str | None], str | None]
"""Returns as text what is to be kept of events that go, given what was kept of earlier ones."""


def prune_events(database: Database, before: float, retain: Retain) -> int:
    """Drop events received before a time whose conversations have nothing due; return how many.

    A few at a time, so that webhooks accepted meanwhile hardly wait.
    """
    dropped = 0
    last = (0.0, 0)
    while rows := _old(database, before, last):
        with database.write() as connection:
            dropped += _drop(connection, [row.id for row in rows], retain)
        last = (rows[-1].received_at, rows[-1].id)
    return dropped


def _old(database: Database, before: float, last: tuple[float, int]) -> Sequence[Row[int, float]]:
    """Return the next events to drop: few enough that other writers hardly wait for the lock."""
    table = events.c
    after = and_(table.received_at >= last[0], or_(table.received_at > last[0], table.id > last[1]))
    query = (
        select(table.id, table.received_at)
        .where(table.received_at < before, after, _about_nothing_due())
        .order_by(table.received_at, table.id)
        .limit(PRUNED_AT_ONCE)
    )
    with database.read() as connection:
        return connection.execute(query).all()


def _drop(connection: Connection, ids: Sequence[int], retain: Retain) -> int:
    meant = and_(events.c.id.in_(ids), _about_nothing_due())
    named = select(events.c.conversation_id).where(meant)
    lock_conversations(connection, conversations.c.conversation_id.in_(named))
    lock_events(connection, meant)
    _retain_facts(connection, meant, retain)
    return connection.execute(delete(events).where(meant)).rowcount


def _retain_facts(connection: Connection, meant: ColumnElement[bool], retain: Retain) -> None:
    """Keep with each conversation the facts of its events; of what was erased nothing is kept."""
    known: dict[int, str | None] = {}
    going: dict[int, list[Event]] = defaultdict(list)
    query = select(conversations.c.id.label("of_id"), conversations.c.event_facts, events).join(
        events, _OF_ITS_CLIENT
    )
    for row in connection.execute(query.where(meant, conversations.c.erased_at.is_(None))):
        known[row.of_id] = row.event_facts
        going[row.of_id].append(event_of(row))
    kept: list[dict[str, Any]] = []
    for number, leaving in sorted(going.items()):
        facts = retain(leaving, known[number])
        if facts != known[number]:
            kept.append({"of_id": number, "kept": facts})
    if kept:
        connection.execute(_KEEP, kept)


def _about_nothing_due() -> ColumnElement[bool]:
    busy = select(conversations.c.conversation_id).where(conversations.c.due_at.is_not(None))
    return or_(events.c.conversation_id.is_(None), events.c.conversation_id.not_in(busy))


_OF_ITS_CLIENT = and_(
    events.c.conversation_id == conversations.c.conversation_id,
    events.c.platform == conversations.c.platform,
    events.c.client_id == conversations.c.client_id,
)
_KEEP = (
    update(conversations)
    .where(conversations.c.id == bindparam("of_id"))
    .values(event_facts=bindparam("kept"))
)
