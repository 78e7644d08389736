"""Deliveries as operators look at them: chosen by state, destination, project, e-mail or cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from chatferry.ledger.database import Database
from chatferry.ledger.deliveries import operator_moves
from chatferry.ledger.deliveries.states import SELECT_DELIVERY, Decided, Delivery, DeliveryState, delivery_of
from chatferry.ledger.tables import conversations, deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which deliveries are meant; what is left out does not matter.

    ``conversation`` is iAdvize's id or the delivery's key, ``cause`` a part of a reason or code.
    """

    ids: tuple[int, ...] = ()
    conversation: str | None = None
    destination: str | None = None
    states: tuple[DeliveryState, ...] = ()
    project_id: int | None = None
    email: str | None = field(default=None, repr=False)
    cause: str | None = None


class Selections:
    """Look deliveries up, and change the fate of some."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, selection: Selection, *, limit: int | None = None) -> Sequence[Delivery]:
        """Return the deliveries meant, newest first."""
        query = selected(selection).order_by(deliveries.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [delivery_of(row) for row in connection.execute(query).mappings()]

    def count(self, selection: Selection) -> int:
        """Return how many deliveries are meant."""
        with self._database.read() as connection:
            found = selected(selection).subquery()
            return connection.execute(select(func.count()).select_from(found)).scalar_one()

    def each(self, selection: Selection, *, page: int = 500) -> Iterator[Delivery]:
        """Go through the deliveries meant, oldest first; they may change on the way."""
        last = 0
        while True:
            query = selected(selection).where(deliveries.c.id > last).order_by(deliveries.c.id).limit(page)
            with self._database.read() as connection:
                rows = connection.execute(query).mappings().all()
            for row in rows:
                yield delivery_of(row)
            if len(rows) < page:
                return
            last = rows[-1]["id"]

    def revive(self, revived: Sequence[tuple[Delivery, Decided]], now: float) -> int:
        """Queue deliveries again with new content, unless they got newer content meanwhile."""
        with self._database.write() as connection:
            return operator_moves.revive(connection, revived, now)

    def discard(self, selection: Selection, reason: str) -> int:
        """Give up on deliveries that are not delivered; later news of their conversations revive nothing."""
        with self._database.write() as connection:
            return operator_moves.discard(connection, _ids(selection), reason)

    def reread(self, selection: Selection, now: float) -> int:
        """Have the conversations of these deliveries read again, and queued whatever they say.

        Erased ones are left out; return how many conversations are meant.
        """
        with self._database.write() as connection:
            return operator_moves.reread(connection, _ids(selection), now)


def _ids(selection: Selection) -> Select[int]:
    return select(selected(selection).subquery().c.id)


def selected(selection: Selection) -> Select[*tuple[object, ...]]:
    """Return the query for the deliveries meant."""
    return SELECT_DELIVERY.where(and_(True, *_conditions(selection)))  # noqa: FBT003  (SQL's own)


def _conditions(selection: Selection) -> Iterator[ColumnElement[bool]]:
    if selection.ids:
        yield deliveries.c.id.in_(selection.ids)
    if selection.conversation is not None:
        yield or_(
            conversations.c.conversation_id == selection.conversation,
            deliveries.c.key == selection.conversation,
        )
    if selection.destination is not None:
        yield deliveries.c.destination == selection.destination
    if selection.states:
        yield deliveries.c.state.in_([state.value for state in selection.states])
    if selection.project_id is not None:
        yield conversations.c.project_id == selection.project_id
    if selection.email is not None:
        yield func.lower(deliveries.c.email) == selection.email.lower()
    if selection.cause is not None:
        text = func.lower(func.coalesce(deliveries.c.reason, "") + " " + func.coalesce(deliveries.c.code, ""))
        yield text.contains(selection.cause.lower(), autoescape=True)
