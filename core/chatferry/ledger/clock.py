"""Repairing what was written while the clock was ahead: it would stay in the future until then."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, delete, or_, update

from chatferry.ledger.database import Database
from chatferry.ledger.deliveries.operator_moves import make_due
from chatferry.ledger.destinations import FOR_EVER, PauseKind
from chatferry.ledger.locking import lock_conversations
from chatferry.ledger.tables import conversations, deliveries, destinations, locks, logins

LONGEST: Final = 8 * 86400.0
"""Seconds: nothing waits longer on purpose."""


def repair_clock(database: Database, now: float) -> None:
    """Make due what is so only in a future nothing waits for on purpose, and end leases until then."""
    limit = now + LONGEST
    unread, undelivered = conversations.c.due_at > limit, deliveries.c.due_at > limit
    since = conversations.c.waiting_since > limit
    leased = and_(conversations.c.leased_until > limit, conversations.c.due_at.is_not(None))
    by_others = or_(
        destinations.c.pause_kind.is_(None), destinations.c.pause_kind != PauseKind.OPERATOR.value
    )
    ended = {"leased_by": None, "leased_until": None}
    with database.write() as connection:
        lock_conversations(connection, or_(unread, leased, since))
        connection.execute(update(conversations).where(unread).values(due_at=now))
        connection.execute(update(conversations).where(leased).values(**ended))
        connection.execute(update(conversations).where(since).values(waiting_since=now))
        make_due(connection, undelivered, now)
        connection.execute(update(destinations).where(destinations.c.leased_until > limit).values(**ended))
        paused = and_(destinations.c.paused_until > limit, destinations.c.paused_until < FOR_EVER, by_others)
        connection.execute(update(destinations).where(paused).values(paused_until=now))
        connection.execute(delete(locks).where(locks.c.leased_until > limit))
        connection.execute(delete(logins).where(logins.c.at > limit))
