"""The whole ledger behind one name."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final, Self

from sqlalchemy import and_, func, select, text

from chatferry.errors import LedgerError, LedgerUnavailable
from chatferry.ledger.clock import repair_clock
from chatferry.ledger.conversations import Conversations
from chatferry.ledger.database import Database
from chatferry.ledger.deliveries.leasing import Deliveries
from chatferry.ledger.deliveries.operator_moves import make_due
from chatferry.ledger.deliveries.selection import Selections
from chatferry.ledger.destinations import Destinations, resume
from chatferry.ledger.erasure import Erasures
from chatferry.ledger.events import Events
from chatferry.ledger.hook_failures import HookFailures
from chatferry.ledger.leases import Leases, new_owner
from chatferry.ledger.memory import LedgerMemory
from chatferry.ledger.reconciliations import Reconciliations
from chatferry.ledger.schema import upgrade
from chatferry.ledger.status import Status, status
from chatferry.ledger.stories import Stories
from chatferry.ledger.tables import deliveries
from chatferry.ledger.tokens import LedgerTokens

_PING_SECONDS: Final = 1.0


class Ledger:
    """What chatferry knows, in one database. ``owner`` names this process in its leases.

    :param url: a SQLAlchemy URL of SQLite or PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        self.owner = new_owner()
        self.database = Database(url)
        self.events = Events(self.database)
        self.conversations = Conversations(self.database, self.events)
        self.deliveries = Deliveries(self.database)
        self.destinations = Destinations(self.database, self.owner)
        self.erasures = Erasures(self.database)
        self.hook_failures = HookFailures(self.database)
        self.leases = Leases(self.database)
        self.reconciliations = Reconciliations(self.database)
        self.selections = Selections(self.database)
        self.stories = Stories(self.database)
        self.tokens = LedgerTokens(self.database, self.owner)
        self._pinging = threading.Lock()
        self._pinged_at = float("-inf")
        self._ping_failed: str | None = None

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """Open a ledger, upgrading its tables, or creating it.

        :raises LedgerMissing: if there is none, and it is not to be created.
        :raises LedgerUnavailable: if it cannot be opened.
        """
        ledger = cls(url)
        try:
            upgrade(ledger.database, create=create)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def memory(self, destination: str) -> LedgerMemory:
        """Return a destination's memory."""
        return LedgerMemory(self.database, destination)

    def status(self, now: float) -> Status:
        """Look how things stand."""
        return status(self.database, now)

    def extend(self, until: float, reading: Sequence[int]) -> None:
        """Heartbeat: extend the leases of this process, and those of the conversations it reads.

        One that it leased and does not read any more, because its sync broke off, becomes free again.
        """
        self.leases.extend(self.owner, until)
        self.destinations.extend(until)
        self.conversations.extend(self.owner, reading, until)

    def resume_destination(self, name: str, now: float) -> int:
        """Resume a destination, whatever it is paused for; return how many deliveries are due now."""
        theirs = deliveries.c.destination == name
        due = select(func.count()).select_from(deliveries).where(theirs, deliveries.c.due_at <= now)
        with self.database.write() as connection:
            make_due(connection, and_(theirs, deliveries.c.due_at > now), now)
            resume(connection, name)
            return int(connection.execute(due).scalar_one())

    def repair_clock(self, now: float) -> None:
        """Make due what a clock that was ahead has put off; to be called when a runner starts."""
        repair_clock(self.database, now)

    def ping(self) -> None:
        """Raise :class:`~chatferry.errors.LedgerUnavailable` unless the ledger can be written.

        The answer is cached for a second: the health route is public, and may be asked at any rate.
        """
        with self._pinging:
            if time.monotonic() - self._pinged_at > _PING_SECONDS:
                self._ping_failed = self._write_nothing()
                self._pinged_at = time.monotonic()
            if self._ping_failed is not None:
                raise LedgerUnavailable(self._ping_failed)

    def _write_nothing(self) -> str | None:
        """Write, and return why that failed, if so."""
        try:
            with self.database.write() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        except LedgerError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
