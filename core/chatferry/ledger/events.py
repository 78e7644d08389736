"""Accepting events: written, and their conversations marked due, in one durable transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, func, select

from chatferry.ledger.database import Database
from chatferry.ledger.dialects import insert_or_ignore
from chatferry.ledger.event_rows import event_of
from chatferry.ledger.pruning import Retain, prune_events
from chatferry.ledger.redaction import may_be_personal, redact
from chatferry.ledger.sync_requests import SyncRequest, request_sync
from chatferry.ledger.tables import conversations, events
from chatferry.model import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """An event on its way in, and what follows from it.

    ``refusal`` says why nothing does; ``due_at`` is when its conversation is to be read. An event
    that names a visitor and no conversation marks the visitor's conversations instead.
    """

    event: Event
    refusal: str | None = None
    due_at: float | None = None


class Events:
    """The events the ledger keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, admissions: Sequence[Admission]) -> None:
        """Write the events not seen before and mark their conversations due.

        :raises LedgerUnavailable: if nothing was written, not even one of them.
        """
        with self._database.write(durable=True) as connection:
            _accept(connection, admissions)

    def of(self, connection: Connection, conversation_ids: Iterable[str]) -> dict[str, list[Event]]:
        """Return the events about these conversations, oldest first."""
        found: dict[str, list[Event]] = {}
        for row in connection.execute(_ABOUT, {"ids": list(conversation_ids)}):
            found.setdefault(row.conversation_id, []).append(event_of(row))
        return found

    def refused(self, connection: Connection) -> list[tuple[str, int]]:
        """Return why events were kept without consequence, with how many of each."""
        query = (
            select(events.c.refusal, func.count())
            .where(events.c.refusal.is_not(None))
            .group_by(events.c.refusal)
            .order_by(func.count().desc())
        )
        return [(row[0], row[1]) for row in connection.execute(query)]

    def prune(self, before: float, retain: Retain) -> int:
        """Drop events received before a time whose conversations have nothing due; return how many.

        :param retain: returns the facts of them that stay with their conversations.
        """
        return prune_events(self._database, before, retain)


_KNOWN = select(events.c.event_id).where(events.c.event_id.in_(bindparam("ids", expanding=True)))

_ABOUT = (
    select(events)
    .where(events.c.conversation_id.in_(bindparam("ids", expanding=True)))
    .order_by(events.c.received_at, events.c.id)
)

_OF_VISITOR = select(conversations.c.conversation_id).where(
    conversations.c.platform == bindparam("of_platform"),
    conversations.c.client_id == bindparam("of_client"),
    conversations.c.visitor_id == bindparam("of_visitor"),
    conversations.c.synced_at.is_not(None),
)


def _accept(connection: Connection, admissions: Sequence[Admission]) -> None:
    unique = {admission.event.event_id: admission for admission in admissions}
    known = set(connection.execute(_KNOWN, {"ids": list(unique)}).scalars())
    fresh = [admission for event_id, admission in unique.items() if event_id not in known]
    if not fresh:
        return
    fresh.sort(key=lambda admission: admission.event.event_id)  # one order in every transaction, see locking
    connection.execute(insert_or_ignore(connection, events), [_row(admission) for admission in fresh])
    requests = [one for admission in fresh if (one := _request(admission))]
    visitors = [one for admission in fresh for one in _visitor_requests(connection, admission)]
    request_sync(connection, requests + visitors)
    _keep_erased(connection, fresh)


def _keep_erased(connection: Connection, fresh: Sequence[Admission]) -> None:
    """Take what a visitor wrote out of events about conversations that were erased."""
    ids = {one.event.conversation_id for one in fresh if may_be_personal(one.event.body)} - {None}
    if ids:
        table = conversations.c
        redact(connection, and_(table.conversation_id.in_(ids), table.erased_at.is_not(None)))


def _row(admission: Admission) -> dict[str, object]:
    event = admission.event
    return {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "platform": event.platform,
        "client_id": event.client_id,
        "project_id": event.project_id,
        "conversation_id": event.conversation_id,
        "occurred_at": event.occurred_at.timestamp() if event.occurred_at else None,
        "received_at": event.received_at.timestamp(),
        "refusal": admission.refusal,
        "body": event.body,
    }


def _request(admission: Admission) -> SyncRequest | None:
    event = admission.event
    if admission.due_at is None or event.conversation_id is None or event.client_id is None:
        return None
    at = event.received_at.timestamp()
    return SyncRequest(
        platform=event.platform,
        client_id=event.client_id,
        conversation_id=event.conversation_id,
        project_id=event.project_id,
        channel=event.channel,
        visitor_id=event.visitor_id,
        seen_at=at,
        due_at=admission.due_at,
        close_announced_at=at if event.event_type.endswith("conversation.closed") else None,
    )


def _visitor_requests(connection: Connection, admission: Admission) -> list[SyncRequest]:
    """Ask for the conversations of the visitor an event is about to be read again, if it is about one."""
    event, due_at = admission.event, admission.due_at
    if due_at is None or event.client_id is None or event.conversation_id or not event.visitor_id:
        return []
    known = {"of_platform": event.platform, "of_client": event.client_id, "of_visitor": event.visitor_id}
    return [
        SyncRequest(
            platform=event.platform,
            client_id=event.client_id,
            conversation_id=conversation_id,
            seen_at=event.received_at.timestamp(),
            due_at=due_at,
        )
        for conversation_id in connection.execute(_OF_VISITOR, known).scalars()
    ]
