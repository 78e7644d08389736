"""How each destination is: awake, or parked with a reason and a time to wake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import and_, case, null, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.decisions import DeliveryState
from chatferry.ledger.locking import lock_deliveries
from chatferry.ledger.tables import deliveries, destinations


class PauseKind(StrEnum):
    """Why a destination takes nothing for a while."""

    BACKING_OFF = "backing-off"
    """The CRM is away or asked for patience."""
    QUOTA = "quota"
    CREDENTIALS = "credentials"
    HUNG = "hung"
    """A call did not come back in time."""
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationState:
    """A destination as the ledger knows it. ``paused_until`` is None where only an operator wakes it."""

    name: str
    pause_kind: PauseKind | None = None
    paused_until: float | None = None
    pause_reason: str | None = None
    failures: int = 0
    last_success_at: float | None = None


class Destinations:
    """The destinations' states."""

    def __init__(self, database: Database, owner: str = "") -> None:
        self._database = database
        self._owner = owner

    def state(self, name: str) -> DestinationState:
        """Return how a destination is."""
        return self.states().get(name, DestinationState(name=name))

    def states(self) -> dict[str, DestinationState]:
        """Return how every destination is that was ever served."""
        columns = [destinations.c[name] for name in DestinationState.__dataclass_fields__]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).order_by(destinations.c.name)).all()
        return {
            row.name: DestinationState(
                name=row.name,
                pause_kind=PauseKind(row.pause_kind) if row.pause_kind else None,
                paused_until=_finite(row.paused_until),
                pause_reason=row.pause_reason,
                failures=row.failures,
                last_success_at=row.last_success_at,
            )
            for row in rows
        }

    def pause(self, name: str, why: PauseKind, reason: str, until: float | None, *, failures: int = 0) -> None:
        """End a turn with a rest until a time, or until it is woken where ``until`` is None.

        What an operator parked stays as the operator left it.
        """
        self._end_turn(
            name,
            failures=failures,
            pause_kind=why.value,
            paused_until=FOR_EVER if until is None else until,
            pause_reason=reason,
        )

    def resume(self, name: str, succeeded_at: float | None) -> None:
        """End a turn: the destination takes leads again, and took some if ``succeeded_at`` is given.

        What an operator parked stays parked.
        """
        success = {} if succeeded_at is None else {"last_success_at": succeeded_at}
        self._end_turn(name, failures=0, **_NOT_PAUSED, **success)

    def pause_by_operator(self, name: str, reason: str) -> None:
        """Park a destination for an operator, until it is woken; a batch on its way comes to its end."""
        parking = {"pause_kind": PauseKind.OPERATOR.value, "paused_until": FOR_EVER, "pause_reason": reason}
        with self._database.write() as connection:
            connection.execute(update(destinations).where(destinations.c.name == name).values(**parking))

    def resume_by_operator(self, name: str, now: float) -> int:
        """Wake a destination whatever it is parked for; return how many deliveries no longer wait."""
        waiting = and_(
            deliveries.c.destination == name,
            deliveries.c.state == DeliveryState.DUE.value,
            deliveries.c.due_at > now,
        )
        with self._database.write() as connection:
            lock_deliveries(connection, waiting)
            woken = connection.execute(update(deliveries).where(waiting).values(due_at=now)).rowcount
            connection.execute(
                update(destinations).where(destinations.c.name == name).values(failures=0, **_NOT_PAUSED)
            )
        return woken

    def _end_turn(self, name: str, **values: object) -> None:
        """End our turn. One that took longer than its lease is somebody else's by now: leave it alone."""
        table = destinations.c
        kept = {
            column: case((table.pause_kind == PauseKind.OPERATOR.value, table[column]), else_=values.pop(column))
            for column in _NOT_PAUSED
        }
        statement = (
            update(destinations)
            .where(table.name == name, table.leased_by == self._owner)
            .values(leased_by=None, leased_until=None, **kept, **values)
        )
        with self._database.write() as connection:
            connection.execute(statement)


FOR_EVER: Final = 1e12
"""Until when what only an operator wakes is parked."""

_NOT_PAUSED: Final = {"pause_kind": null(), "paused_until": null(), "pause_reason": null()}


def _finite(until: float | None) -> float | None:
    return None if until is None or until >= FOR_EVER else until
