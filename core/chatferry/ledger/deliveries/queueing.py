"""What a sync decided for each destination: queue this content, park it, or leave it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from chatferry.ledger.deliveries.states import ERASED, Decided, DeliveryState
from chatferry.ledger.tables import deliveries


def record_decisions(
    connection: Connection, decisions: Sequence[tuple[int, int, Decided]], now: float
) -> None:
    """Queue what is new, for (conversation, is_backfill, decision) triples of conversations we lease.

    Content that is queued, delivered or dead already is left as it is: so duplicates, retries and
    reordered events all end in the same state. What is queued and no longer wanted is left out;
    what was discarded stays so whatever events follow. New content of a lead that keeps failing
    waits as the old one did: its CRM asked for patience, and a live conversation has news all the time.
    """
    if not decisions:
        return
    ids = sorted({conversation for conversation, _, _ in decisions})
    known = {(row.conversation, row.destination): row for row in connection.execute(_KNOWN, {"ids": ids})}
    inserts: list[dict[str, Any]] = []
    updates: list[dict[str, Any]] = []
    waiting: list[dict[str, Any]] = []
    for conversation, is_backfill, decided in decisions:
        row = known.get((conversation, decided.destination))
        if row is None:
            inserts.append(
                _content(decided, now)
                | {"conversation": conversation, "is_backfill": is_backfill, "version": 1}
            )
        elif _is_news(row, decided):
            content = _content(decided, now) | {
                "of_id": row.id,
                "is_backfill": is_backfill,
                "version": row.version + 1,
            }
            if row.failing_since is not None and row.state == decided.state == DeliveryState.DUE:
                waiting.append(content | {"reason": row.reason, "due_at": max(now, row.due_at)})
            else:
                updates.append(content | _FRESH)
    if inserts:
        connection.execute(insert(deliveries), inserts)
    for rows in filter(None, (updates, waiting)):
        connection.execute(_UPDATE, sorted(rows, key=lambda row: row["of_id"]))


def _is_news(row: Row[*tuple[Any, ...]], decided: Decided) -> bool:
    if row.state == DeliveryState.DISCARDED:
        # An operator gave it up, and only an operator who has it read again takes that back.
        return row.reason != ERASED and row.fingerprint is None and decided.state is not DeliveryState.SKIPPED
    if decided.state is DeliveryState.SKIPPED:
        # What is queued must not be delivered any more; what a CRM has or refused stays what it is.
        return row.state == DeliveryState.DUE or (
            row.state in {DeliveryState.SKIPPED, DeliveryState.PARKED} and row.reason != decided.reason
        )
    if row.state in {DeliveryState.SKIPPED, DeliveryState.PARKED} and row.state != decided.state:
        return True
    return bool(row.fingerprint != decided.fingerprint)


def _content(decided: Decided, now: float) -> dict[str, object]:
    return {
        "destination": decided.destination,
        "key": decided.key,
        "email": decided.email,
        "state": decided.state.value,
        "reason": decided.reason,
        "fingerprint": decided.fingerprint,
        "lead": decided.lead,
        "queued_at": now,
        "due_at": now if decided.state is DeliveryState.DUE else None,
    }


_FRESH: Final = {"attempts": 0, "failing_since": None, "crm_message": None, "code": None, "reference": None}
"""Content that has not been tried yet."""


_KNOWN = (
    select(
        deliveries.c.id,
        deliveries.c.conversation,
        deliveries.c.destination,
        deliveries.c.state,
        deliveries.c.reason,
        deliveries.c.version,
        deliveries.c.fingerprint,
        deliveries.c.due_at,
        deliveries.c.failing_since,
    )
    .where(deliveries.c.conversation.in_(bindparam("ids", expanding=True)))
    .order_by(deliveries.c.id)
    .with_for_update()
)

_UPDATE = update(deliveries).where(deliveries.c.id == bindparam("of_id"))
