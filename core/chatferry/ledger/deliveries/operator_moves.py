"""What operators do to deliveries: revive, discard, have them read again, let them go at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, null, or_, select, update

from chatferry.ledger.deliveries.states import ERASED, Decided, Delivery, DeliveryState
from chatferry.ledger.locking import lock_conversations, lock_deliveries
from chatferry.ledger.tables import conversations, deliveries


def revive(connection: Connection, revived: Sequence[tuple[Delivery, Decided]], now: float) -> int:
    """Queue deliveries again with new content, unless they got newer content meanwhile; return how many."""
    done = 0
    for delivery, content in sorted(revived, key=lambda pair: pair[0].id):
        statement = (
            update(deliveries)
            .where(deliveries.c.id == delivery.id, deliveries.c.version == delivery.version)
            .values(
                state=DeliveryState.DUE.value,
                due_at=now,
                version=delivery.version + 1,
                fingerprint=content.fingerprint,
                lead=content.lead,
                attempts=0,
                reason="retried by an operator",
                **dict.fromkeys(_OF_FAILURE, null()),
            )
        )
        done += connection.execute(statement).rowcount
    return done


def discard(connection: Connection, ids: Select[int], reason: str) -> int:
    """Give up on deliveries that are due, dead or parked; return how many."""
    meant = deliveries.c.id.in_(ids)
    lock_deliveries(connection, meant)
    discarded = (
        update(deliveries)
        .where(meant, or_(*(deliveries.c.state == state.value for state in _DISCARDABLE)))
        .values(
            state=DeliveryState.DISCARDED.value,
            due_at=None,
            reason=reason,
            # An attempt on its way is of the older version, and what was to be read again is not.
            version=deliveries.c.version + 1,
            fingerprint=func.coalesce(deliveries.c.fingerprint, ""),
        )
    )
    return connection.execute(discarded).rowcount


def reread(connection: Connection, ids: Select[int], now: float) -> int:
    """Have the conversations of deliveries read again, and queued whatever they say.

    Erased ones are left out; return how many conversations are meant.
    """
    meant = and_(deliveries.c.id.in_(ids), func.coalesce(deliveries.c.reason, "") != ERASED)
    again = and_(
        conversations.c.id.in_(select(deliveries.c.conversation).where(meant)),
        conversations.c.erased_at.is_(None),
    )
    lock_conversations(connection, again)
    lock_deliveries(connection, meant)
    connection.execute(update(deliveries).where(meant).values(fingerprint=None))
    return connection.execute(
        update(conversations)
        .where(again)
        .values(due_at=now, generation=conversations.c.generation + 1, attempts=0)
    ).rowcount


def make_due(connection: Connection, which: ColumnElement[bool], now: float) -> int:
    """Let deliveries that wait for a later time go at once; return how many."""
    waiting = and_(deliveries.c.state == DeliveryState.DUE.value, which)
    lock_deliveries(connection, waiting)
    return connection.execute(update(deliveries).where(waiting).values(due_at=now)).rowcount


_DISCARDABLE: Final = (DeliveryState.DUE, DeliveryState.DEAD, DeliveryState.PARKED)
_OF_FAILURE: Final = ("failing_since", "crm_message", "code", "reference")
