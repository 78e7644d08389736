"""Lock ordering: every transaction locks rows in one order, so that no two deadlock.

Conversations come before deliveries, and these before destinations; conversations in the order of
their names, as sync requests come sorted, and the others in that of their numbers. SQLite has one writer and
needs none of it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from chatferry.ledger.tables import conversations, deliveries, events


def conversation_order(dialect: str) -> tuple[ColumnElement[Any], ...]:
    """Return the order of conversations: Python's, whatever language the database sorts in."""
    table = conversations.c
    platform, name = table.platform, table.conversation_id
    if dialect == "postgresql":
        return platform.collate("C"), table.client_id, name.collate("C")
    return platform, table.client_id, name


def lock_conversations(connection: Connection, which: ColumnElement[bool]) -> None:
    """Lock conversations until the end of the transaction."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        order = conversation_order(dialect)
        connection.execute(select(conversations.c.id).where(which).order_by(*order).with_for_update()).all()


def lock_deliveries(connection: Connection, which: ColumnElement[bool]) -> None:
    """Lock deliveries until the end of the transaction."""
    _lock_by_number(connection, deliveries, which)


def lock_events(connection: Connection, which: ColumnElement[bool]) -> None:
    """Lock events until the end of the transaction."""
    _lock_by_number(connection, events, which)


def _lock_by_number(connection: Connection, table: Table, which: ColumnElement[bool]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(table.c.id).where(which).order_by(table.c.id).with_for_update()).all()
