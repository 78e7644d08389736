"""Deliveries as operators look at them: chosen by state, destination, project, e-mail or cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select, update

from chatferry.ledger.database import Database
from chatferry.ledger.decisions import ERASED, DeliveryState
from chatferry.ledger.locking import lock_conversations, lock_deliveries
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A delivery as it is listed. ``crm_message``, ``email`` and ``lead`` hold personal data."""

    id: int
    destination: str
    state: DeliveryState
    key: str
    platform: str
    client_id: int
    project_id: int | None
    conversation_id: str
    version: int
    attempts: int
    queued_at: float
    due_at: float | None
    failing_since: float | None
    delivered_at: float | None
    reason: str | None
    code: str | None
    reference: str | None
    fingerprint: str | None
    delivered_fingerprint: str | None
    receipt: str | None
    email: str | None = field(repr=False)
    crm_message: str | None = field(repr=False)
    lead: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revived:
    """New content for a delivery that is to be tried again."""

    id: int
    version: int
    fingerprint: str
    lead: bytes = field(repr=False)


class Selections:
    """Look deliveries up, and change the fate of some."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, selection: Selection, *, limit: int | None = None) -> Sequence[Listed]:
        """Return the deliveries meant, newest first."""
        query = _query(selection).order_by(deliveries.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [_listed(row._mapping) for row in connection.execute(query)]  # noqa: SLF001  (a public name despite the underscore)

    def count(self, selection: Selection) -> int:
        """Return how many deliveries are meant."""
        with self._database.read() as connection:
            found = _query(selection).subquery()
            return connection.execute(select(func.count()).select_from(found)).scalar_one()

    def each(self, selection: Selection, *, page: int = 500) -> Iterator[Listed]:
        """Go through the deliveries meant, oldest first; they may change on the way."""
        last = 0
        while True:
            query = _query(selection).where(deliveries.c.id > last).order_by(deliveries.c.id).limit(page)
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                yield _listed(row._mapping)  # noqa: SLF001  (a public name despite the underscore)
            if len(rows) < page:
                return
            last = rows[-1].id

    def revive(self, revived: Sequence[Revived], now: float) -> int:
        """Queue deliveries again with new content, unless they got newer content meanwhile."""
        done = 0
        with self._database.write() as connection:
            for one in sorted(revived, key=lambda revived: revived.id):
                statement = (
                    update(deliveries)
                    .where(deliveries.c.id == one.id, deliveries.c.version == one.version)
                    .values(
                        state=DeliveryState.DUE.value,
                        due_at=now,
                        version=one.version + 1,
                        fingerprint=one.fingerprint,
                        lead=one.lead,
                        attempts=0,
                        failing_since=None,
                        reason="retried by an operator",
                        crm_message=None,
                        code=None,
                        reference=None,
                    )
                )
                done += connection.execute(statement).rowcount
        return done

    def discard(self, selection: Selection, reason: str) -> int:
        """Give up on deliveries that are not delivered; their conversations' news revive nothing."""
        open_states = or_(*(deliveries.c.state == state.value for state in _DISCARDABLE))
        meant = select(_query(selection).subquery().c.id)
        with self._database.write() as connection:
            lock_deliveries(connection, deliveries.c.id.in_(meant))
            return connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(meant), open_states)
                .values(
                    state=DeliveryState.DISCARDED.value,
                    due_at=None,
                    reason=reason,
                    # What is in flight settles the older version, and what was to be read again is not.
                    version=deliveries.c.version + 1,
                    fingerprint=func.coalesce(deliveries.c.fingerprint, ""),
                )
            ).rowcount

    def reread(self, selection: Selection, now: float) -> int:
        """Have the conversations of these deliveries read again, and queued whatever they say.

        Erased ones are left out; return how many conversations are meant.
        """
        chosen = _query(selection).where(func.coalesce(deliveries.c.reason, "") != ERASED)
        meant = select(chosen.subquery().c.id)
        of = select(deliveries.c.conversation).where(deliveries.c.id.in_(meant))
        again = and_(conversations.c.id.in_(of), conversations.c.erased_at.is_(None))
        with self._database.write() as connection:
            lock_conversations(connection, again)
            lock_deliveries(connection, deliveries.c.id.in_(meant))
            connection.execute(update(deliveries).where(deliveries.c.id.in_(meant)).values(fingerprint=None))
            return connection.execute(
                update(conversations)
                .where(again)
                .values(due_at=now, generation=conversations.c.generation + 1, attempts=0)
            ).rowcount


_DISCARDABLE = (DeliveryState.DUE, DeliveryState.DEAD, DeliveryState.PARKED)
_OF_CONVERSATION = ("platform", "client_id", "project_id", "conversation_id")


def _query(selection: Selection) -> Select[*tuple[object, ...]]:
    columns = [
        (conversations if name in _OF_CONVERSATION else deliveries).c[name]
        for name in Listed.__dataclass_fields__
    ]
    return (
        select(*columns)
        .join(conversations, deliveries.c.conversation == conversations.c.id)
        .where(and_(True, *_conditions(selection)))  # noqa: FBT003  (SQL's own)
    )


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


def _listed(row: RowMapping) -> Listed:
    values = {**row, "state": DeliveryState(row["state"])}
    return Listed(**values)
