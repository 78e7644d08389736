"""Erasing people: what the ledger holds of them goes, and a tombstone stays that says so."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, or_, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.deliveries import erasing
from chatferry.ledger.deliveries.states import ERASED, SELECT_DELIVERY, Delivery, delivery_of
from chatferry.ledger.locking import conversation_order
from chatferry.ledger.redaction import redact
from chatferry.ledger.tables import conversations, deliveries


class Erasures:
    """Erase people from the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def meant(self, *, conversation: str | None = None, email: str | None = None) -> Sequence[int]:
        """Return the conversations of this id, of this delivery key or of this person."""
        table = conversations.c
        by_key = deliveries.c.key == conversation
        by_email = deliveries.c.email == (email or "").strip().lower()
        about = or_(table.conversation_id == conversation, by_key) if conversation else by_email
        query = (
            select(table.id)
            .select_from(conversations.outerjoin(deliveries, deliveries.c.conversation == table.id))
            .where(about)
            .distinct()
            .order_by(table.id)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalars().all()

    def others(self, meant: Sequence[int]) -> int:
        """Return how many more conversations the ledger knows of the same people."""
        same = select(deliveries.c.email).where(deliveries.c.conversation.in_(meant))
        query = select(deliveries.c.conversation).where(
            deliveries.c.email.in_(same), deliveries.c.conversation.not_in(meant)
        )
        with self._database.read() as connection:
            return len(set(connection.execute(query).scalars()))

    def tombstone(self, meant: Sequence[int], tombstones: Sequence[str], now: float) -> None:
        """Erase conversations: their leads, what the visitors wrote in events, who the visitors are.

        ``tombstones`` are the destinations that must not get anything of them later either. A sync that
        is under way loses its lease, and no later event makes them due. What the CRMs said stays
        until :meth:`forget`, so that their records can be found.
        """
        with self._database.write(durable=True) as connection:
            rows = self._locked(connection, meant)
            erasing.erase_content(connection, deliveries.c.conversation.in_(meant))
            erasing.add_tombstones(connection, rows, tombstones, now)
            redact(connection, conversations.c.id.in_(meant))
            connection.execute(
                update(conversations)
                .where(conversations.c.id.in_(meant))
                .values(
                    erased_at=now,
                    due_at=None,
                    problem=None,
                    waiting_since=None,
                    leased_by=None,
                    leased_until=None,
                    visitor_id=None,
                    event_facts=None,
                )
            )

    def tombstone_at(self, meant: Sequence[int], destination: str) -> None:
        """Erase what one destination has of conversations; they stay as they are for the others."""
        with self._database.write(durable=True) as connection:
            self._locked(connection, meant)
            erasing.erase_content(
                connection,
                and_(deliveries.c.conversation.in_(meant), deliveries.c.destination == destination),
            )

    def tombstones(self, meant: Sequence[int]) -> Sequence[Delivery]:
        """Return the erased deliveries of conversations; one has a receipt while its CRM has its records."""
        query = SELECT_DELIVERY.where(deliveries.c.conversation.in_(meant), deliveries.c.reason == ERASED)
        with self._database.read() as connection:
            return [
                delivery_of(row) for row in connection.execute(query.order_by(deliveries.c.id)).mappings()
            ]

    def forget(self, ids: Sequence[int]) -> None:
        """Drop the rest of erased deliveries: the CRMs have nothing of them any more."""
        with self._database.write(durable=True) as connection:
            erasing.forget_receipts(connection, ids)

    def _locked(self, connection: Connection, meant: Sequence[int]) -> list[tuple[int, str]]:
        """Keep a sync from recording these conversations meanwhile; return their ids and keys."""
        table = conversations.c
        query = (
            select(table.id, table.platform, table.client_id, table.conversation_id)
            .where(table.id.in_(meant))
            .order_by(*conversation_order(connection.dialect.name))
            .with_for_update()
        )
        return [
            (row.id, f"{row.platform}-{row.client_id}-{row.conversation_id}")
            for row in connection.execute(query)
        ]
