"""A destination's durable notes to itself, see :class:`chatferry.connector.Memory`."""

from __future__ import annotations

from sqlalchemy import delete, select

from chatferry.ledger.database import Database
from chatferry.ledger.dialects import upsert
from chatferry.ledger.tables import memories


class LedgerMemory:
    """The memory of one destination, shared by every process that serves it."""

    def __init__(self, database: Database, destination: str) -> None:
        self._database = database
        self._destination = destination

    def get(self, key: str) -> str | None:
        """Return what was put under ``key``, or None."""
        query = select(memories.c.value).where(
            memories.c.destination == self._destination, memories.c.key == key
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def put(self, key: str, value: str) -> None:
        """Keep ``value`` under ``key``; it outlives a loss of power."""
        with self._database.write(durable=True) as connection:
            insert = upsert(connection, memories).values(destination=self._destination, key=key, value=value)
            connection.execute(
                insert.on_conflict_do_update(index_elements=["destination", "key"], set_={"value": value})
            )

    def forget(self, key: str) -> None:
        """Drop what was put under ``key``, if anything."""
        with self._database.write() as connection:
            connection.execute(
                delete(memories).where(memories.c.destination == self._destination, memories.c.key == key)
            )
