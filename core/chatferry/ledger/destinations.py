"""How each destination is: in use or paused, and which process has its one batch in flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Double, RowMapping, bindparam, case, null, or_, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.dialects import insert_or_ignore
from chatferry.ledger.tables import destinations

FOR_EVER: Final = 1e12
"""Until when a destination is paused that only an operator resumes."""


class PauseKind(StrEnum):
    """Why a destination takes nothing for a while."""

    BACKING_OFF = "backing-off"
    """The CRM is away or asked for a slower pace."""
    QUOTA = "quota"
    CREDENTIALS = "credentials"
    HUNG = "hung"
    """A call did not return in time."""
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """How long a destination waits, and why; ``failures`` are whole batches in a row."""

    kind: PauseKind
    reason: str
    until: float
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationState:
    """A destination as the ledger knows it.

    ``paused_until`` is None where only an operator resumes it.
    """

    name: str
    pause_kind: PauseKind | None = None
    paused_until: float | None = None
    pause_reason: str | None = None
    failures: int = 0
    last_success_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEnd:
    """How ``owner`` ends its lease of a destination: by a pause, or the destination resumes.

    ``succeeded_at`` is when the CRM took anything, if it did.
    """

    destination: str
    owner: str
    pause: Pause | None = None
    succeeded_at: float | None = None


def lease_destination(
    connection: Connection, name: str, owner: str, now: float, until: float
) -> DestinationState | None:
    """Lease a destination unless it is paused or leased by another; return how it is."""
    row = connection.execute(_LEASE, {"of_name": name, "owner": owner, "now": now, "until": until})
    leased = row.mappings().first()
    return None if leased is None else _state(leased)


def release(connection: Connection, name: str, owner: str) -> None:
    """End the lease of ``owner``, if it has it."""
    connection.execute(_RELEASE, {"of_name": name, "owner": owner})


def end_batch(connection: Connection, end: BatchEnd) -> None:
    """End a lease. One that lasted too long is another's by now, and left alone.

    What an operator paused stays paused.
    """
    values: dict[str, Any] = {"failures": 0} | _NOT_PAUSED
    if end.pause is not None:
        values = {
            "failures": end.pause.failures,
            "pause_kind": end.pause.kind.value,
            "paused_until": end.pause.until,
            "pause_reason": end.pause.reason,
        }
    elif end.succeeded_at is not None:
        values["last_success_at"] = end.succeeded_at
    table = destinations.c
    by_operator = table.pause_kind == PauseKind.OPERATOR.value
    for column in _NOT_PAUSED:
        values[column] = case((by_operator, table[column]), else_=values[column])
    statement = (
        update(destinations)
        .where(table.name == end.destination, table.leased_by == end.owner)
        .values(leased_by=None, leased_until=None, **values)
    )
    connection.execute(statement)


def resume(connection: Connection, name: str) -> None:
    """Resume a destination, whatever it is paused for."""
    resumed = update(destinations).where(destinations.c.name == name)
    connection.execute(resumed.values(failures=0, **_NOT_PAUSED))


class Destinations:
    """The destinations' states and leases. ``owner`` names this process."""

    def __init__(self, database: Database, owner: str = "") -> None:
        self._database = database
        self._owner = owner

    def introduce(self, names: Sequence[str]) -> None:
        """Make sure each destination has a row to be leased."""
        with self._database.write() as connection:
            for name in names:
                connection.execute(insert_or_ignore(connection, destinations).values(name=name, failures=0))

    def state(self, name: str) -> DestinationState:
        """Return how a destination is."""
        return self.states().get(name, DestinationState(name=name))

    def states(self) -> dict[str, DestinationState]:
        """Return how every destination is that was ever served."""
        with self._database.read() as connection:
            rows = connection.execute(select(*_STATE).order_by(destinations.c.name)).mappings()
            return {row["name"]: _state(row) for row in rows}

    def pause(self, name: str, pause: Pause) -> None:
        """End our lease of a destination with a pause."""
        with self._database.write() as connection:
            end_batch(connection, BatchEnd(destination=name, owner=self._owner, pause=pause))

    def pause_by_operator(self, name: str, reason: str) -> None:
        """Pause a destination until an operator resumes it; a batch in flight comes to its end."""
        pause = {"pause_kind": PauseKind.OPERATOR.value, "paused_until": FOR_EVER, "pause_reason": reason}
        with self._database.write() as connection:
            connection.execute(update(destinations).where(destinations.c.name == name).values(**pause))

    def take(self, name: str, owner: str, now: float, until: float) -> bool:
        """Lease a destination to ``owner``, paused or not; False while another has it."""
        values = {"of_name": name, "owner": owner, "now": now, "until": until}
        with self._database.write() as connection:
            return connection.execute(_LEASE_PAUSED, values).first() is not None

    def give_back(self, name: str, owner: str) -> None:
        """End the lease of ``owner``, if it has it."""
        with self._database.write() as connection:
            release(connection, name, owner)

    def extend(self, until: float) -> None:
        """Keep the destinations that this process has leased for longer."""
        ours = update(destinations).where(destinations.c.leased_by == self._owner)
        with self._database.write() as connection:
            connection.execute(ours.values(leased_until=until))


_STATE: Final = tuple(destinations.c[name] for name in DestinationState.__dataclass_fields__)
_NOT_PAUSED: Final = {"pause_kind": null(), "paused_until": null(), "pause_reason": null()}
_NAMED: Final = destinations.c.name == bindparam("of_name")
_OURS: Final = destinations.c.leased_by == bindparam("owner")
_NOW: Final = bindparam("now", type_=Double)
_FREE: Final = or_(destinations.c.leased_by.is_(None), _OURS, destinations.c.leased_until < _NOW)
_LEASE_PAUSED: Final = (
    update(destinations)
    .where(_NAMED, _FREE)
    .values(leased_by=bindparam("owner"), leased_until=bindparam("until"))
    .returning(*_STATE)
)
_LEASE: Final = _LEASE_PAUSED.where(
    or_(destinations.c.paused_until.is_(None), destinations.c.paused_until <= _NOW)
)
_RELEASE: Final = update(destinations).where(_NAMED, _OURS).values(leased_by=None, leased_until=None)


def _state(row: RowMapping) -> DestinationState:
    kind, until = row["pause_kind"], row["paused_until"]
    return DestinationState(
        name=row["name"],
        pause_kind=PauseKind(kind) if kind else None,
        paused_until=None if until is None or until >= FOR_EVER else until,
        pause_reason=row["pause_reason"],
        failures=row["failures"],
        last_success_at=row["last_success_at"],
    )
