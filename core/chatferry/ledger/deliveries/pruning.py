"""Dropping the content of leads that have done their work; what the CRM said is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.deliveries.states import ERASED, DeliveryState
from chatferry.ledger.locking import lock_deliveries
from chatferry.ledger.tables import deliveries


def prune_leads(database: Database, before: float) -> int:
    """Drop the content of leads delivered, discarded or left out before a time; return how many."""
    dropped = 0
    while ids := _with_content(database, before):
        with database.write() as connection:
            which = and_(deliveries.c.id.in_(ids), _is_done(before))
            lock_deliveries(connection, which)
            done = connection.execute(
                update(deliveries).where(which).values(lead=None, email=None, crm_message=None)
            )
        dropped += done.rowcount
    return dropped


def _with_content(database: Database, before: float) -> Sequence[int]:
    """Return some of those to drop: few enough that other writers hardly wait for the lock."""
    with database.read() as connection:
        query = select(deliveries.c.id).where(_is_done(before)).limit(PRUNED_AT_ONCE)
        return connection.execute(query).scalars().all()


PRUNED_AT_ONCE: Final = 1000
"""Rows a transaction drops: other writers wait for it."""

_DONE = (DeliveryState.DELIVERED, DeliveryState.DISCARDED, DeliveryState.SKIPPED)


def _is_done(before: float) -> ColumnElement[bool]:
    table = deliveries.c
    return and_(
        table.state.in_([state.value for state in _DONE]),
        table.queued_at < before,
        func.coalesce(table.delivered_at, table.queued_at) < before,
        or_(table.lead.is_not(None), table.email.is_not(None)),
        func.coalesce(table.reason, "") != ERASED,
    )
