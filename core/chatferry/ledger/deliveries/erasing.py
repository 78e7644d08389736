"""Erasing deliveries: their content goes, and a tombstone stays that lets nothing queue them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, insert, null, select, update

from chatferry.ledger.deliveries.states import ERASED, DeliveryState
from chatferry.ledger.locking import lock_deliveries
from chatferry.ledger.tables import deliveries


def erase_content(connection: Connection, which: ColumnElement[bool]) -> None:
    """Make deliveries tombstones; what the CRM said stays until :func:`forget_receipts`."""
    lock_deliveries(connection, which)
    connection.execute(
        update(deliveries)
        .where(which)
        .values(
            state=DeliveryState.DISCARDED.value,
            reason=ERASED,
            version=deliveries.c.version + 1,
            **dict.fromkeys(_CONTENT, null()),
        )
    )


def add_tombstones(
    connection: Connection, conversations: Sequence[tuple[int, str]], destinations: Sequence[str], now: float
) -> None:
    """Add a tombstone for each destination that has no delivery of a conversation yet.

    :param conversations: their rows and keys.
    """
    known = select(deliveries.c.conversation, deliveries.c.destination).where(
        deliveries.c.conversation.in_([number for number, _ in conversations])
    )
    there = {(row.conversation, row.destination) for row in connection.execute(known)}
    added = [
        {
            "conversation": number,
            "destination": name,
            "key": key,
            "state": DeliveryState.DISCARDED.value,
            "reason": ERASED,
            "version": 1,
            "queued_at": now,
        }
        for number, key in conversations
        for name in destinations
        if (number, name) not in there
    ]
    if added:
        connection.execute(insert(deliveries), added)


def forget_receipts(connection: Connection, ids: Sequence[int]) -> None:
    """Drop what CRMs said of erased deliveries, once nothing of them is left there."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(ids), deliveries.c.reason == ERASED)
        .values(receipt=None, email=None)
    )


_CONTENT: Final = (
    "lead",
    "fingerprint",
    "delivered_fingerprint",
    "due_at",
    "failing_since",
    "crm_message",
    "code",
    "reference",
)
