"""Failures of plugins' hooks in the processes that serve, recorded for the commands that show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select

from chatferry.ledger.database import Database
from chatferry.ledger.dialects import upsert
from chatferry.ledger.tables import hook_failures as table
from chatferry.model import HookFailure

KEPT: Final = 86_400.0
"""Seconds after its latest occurrence for which a failure is shown: a hook may run once a day only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFailure:
    """A failure, how often it happened and when for the last time."""

    plugin: str
    version: str
    hook: str
    reason: str
    count: int
    last_at: float


class HookFailures:
    """The failures of hooks, one row a kind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, counted: Mapping[HookFailure, int], now: float) -> None:
        """Add to how often each happened."""
        with self._database.write() as connection:
            # In one order, so that no two processes wait for each other.
            for failure in sorted(counted, key=lambda one: (one.plugin, one.version, one.hook, one.reason)):
                row = upsert(connection, table).values(
                    plugin=failure.plugin,
                    version=failure.version,
                    hook=failure.hook,
                    reason=failure.reason,
                    count=counted[failure],
                    last_at=now,
                )
                connection.execute(
                    row.on_conflict_do_update(
                        index_elements=["plugin", "version", "hook", "reason"],
                        set_={"count": table.c.count + counted[failure], "last_at": now},
                    )
                )

    def since(self, at: float) -> list[RecordedFailure]:
        """Return what has happened again since a time, the latest first."""
        columns = [table.c[name] for name in RecordedFailure.__dataclass_fields__]
        query = select(*columns).where(table.c.last_at >= at).order_by(table.c.last_at.desc(), table.c.reason)
        with self._database.read() as connection:
            return [RecordedFailure(**row) for row in connection.execute(query).mappings()]

    def prune(self, before: float) -> None:
        """Forget what has not happened since a time."""
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.last_at < before))
