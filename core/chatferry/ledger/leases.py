"""Named leases that any process may take and none keeps for ever, such as the one to log in."""

from __future__ import annotations

import os
import socket
import uuid

from sqlalchemy import delete, or_, update

from chatferry.ledger.database import Database
from chatferry.ledger.dialects import upsert
from chatferry.ledger.tables import locks


def new_owner() -> str:
    """Return a name for this process in leases, another one at each call."""
    return f"{socket.gethostname()[:64]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Leases:
    """The named leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, owner: str, now: float, until: float) -> bool:
        """Take or extend the lease ``name``; False if another owner has it."""
        with self._database.write() as connection:
            insert = upsert(connection, locks).values(name=name, leased_by=owner, leased_until=until)
            free = or_(locks.c.leased_by == owner, locks.c.leased_until < now)
            statement = insert.on_conflict_do_update(
                index_elements=["name"],
                set_={"leased_by": owner, "leased_until": until},
                where=free,
            )
            # The row itself says so: PostgreSQL's driver has no row count left after an insert.
            return connection.execute(statement.returning(locks.c.name)).first() is not None

    def extend(self, owner: str, until: float) -> None:
        """Have the leases of ``owner`` run out at ``until``: the heartbeat of a process that lives."""
        with self._database.write() as connection:
            connection.execute(update(locks).where(locks.c.leased_by == owner).values(leased_until=until))

    def give_back(self, name: str, owner: str) -> None:
        """Let the lease ``name`` go, if ``owner`` has it."""
        with self._database.write() as connection:
            connection.execute(delete(locks).where(locks.c.name == name, locks.c.leased_by == owner))
