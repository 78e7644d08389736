"""Whose turn it is: named leases, and the one batch a destination has in flight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Double, bindparam, delete, or_, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.dialects import insert_or_ignore, upsert
from chatferry.ledger.tables import conversations, destinations, locks


def lease_destination(connection: Connection, name: str, owner: str, now: float, until: float) -> bool:
    """Take a destination's turn, unless it is parked or somebody has it."""
    taken = connection.execute(_TAKE, {"of_name": name, "owner": owner, "now": now, "until": until})
    return taken.rowcount == 1


def give_back_destination(connection: Connection, name: str, owner: str) -> None:
    """End the turn of ``owner``, if it has it."""
    connection.execute(_GIVE_BACK, {"of_name": name, "owner": owner})


_NAMED: Final = destinations.c.name == bindparam("of_name")
_MINE: Final = destinations.c.leased_by == bindparam("owner")
_FREE: Final = or_(
    destinations.c.leased_by.is_(None), _MINE, destinations.c.leased_until < bindparam("now", type_=Double)
)
_NOT_PAUSED: Final = or_(
    destinations.c.paused_until.is_(None),
    destinations.c.paused_until <= bindparam("now", type_=Double),
)
_TAKE_PAUSED: Final = (
    update(destinations)
    .where(_NAMED, _FREE)
    .values(leased_by=bindparam("owner"), leased_until=bindparam("until"))
)
_TAKE: Final = _TAKE_PAUSED.where(_NOT_PAUSED)
_GIVE_BACK: Final = update(destinations).where(_NAMED, _MINE).values(leased_by=None, leased_until=None)


class Leases:
    """Named leases that any process may take and nobody keeps for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, owner: str, now: float, until: float) -> bool:
        """Take or extend the lease ``name``; False if somebody else has it."""
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

    def give_back(self, name: str, owner: str) -> None:
        """Let the lease ``name`` go, if ``owner`` has it."""
        with self._database.write() as connection:
            connection.execute(delete(locks).where(locks.c.name == name, locks.c.leased_by == owner))

    def take_turn(self, destination: str, owner: str, now: float, until: float) -> bool:
        """Take a destination's turn, parked or not; False while somebody else has it."""
        values = {"of_name": destination, "owner": owner, "now": now, "until": until}
        with self._database.write() as connection:
            return connection.execute(_TAKE_PAUSED, values).rowcount == 1

    def end_turn(self, destination: str, owner: str) -> None:
        """End the turn of ``owner``, if it has it."""
        with self._database.write() as connection:
            give_back_destination(connection, destination, owner)

    def introduce(self, names: Sequence[str]) -> None:
        """Make sure each destination has a row to be leased."""
        with self._database.write() as connection:
            for name in names:
                connection.execute(insert_or_ignore(connection, destinations).values(name=name, failures=0))

    def owners(self) -> list[str]:
        """Return everybody who has leased anything."""
        found: set[str] = set()
        with self._database.read() as connection:
            for table in (conversations, destinations, locks):
                query = select(table.c.leased_by).where(table.c.leased_by.is_not(None)).distinct()
                found.update(connection.execute(query).scalars())
        return sorted(found)

    def extend(self, owner: str, until: float) -> None:
        """Keep the destinations ``owner`` has leased for longer."""
        with self._database.write() as connection:
            connection.execute(
                update(destinations).where(destinations.c.leased_by == owner).values(leased_until=until)
            )

    def release(self, owners: Sequence[str]) -> None:
        """Give back the destinations and locks of processes that are gone."""
        with self._database.write() as connection:
            connection.execute(
                update(destinations)
                .where(destinations.c.leased_by.in_(owners))
                .values(leased_by=None, leased_until=None)
            )
            connection.execute(delete(locks).where(locks.c.leased_by.in_(owners)))
