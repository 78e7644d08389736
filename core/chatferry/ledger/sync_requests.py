"""Sync requests: every event, reconciliation and retry asks for a conversation to be read again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Insert, and_, case, func, null, or_

from chatferry.ledger.dialects import insert_of
from chatferry.ledger.tables import conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """What is known of a conversation that is to be read at ``due_at``.

    ``listed_operators`` are those in iAdvize's list of closed conversations, None if it does not say.
    ``is_backfill`` is 1 for a conversation of a backfill, which waits behind live ones.
    """

    platform: str
    client_id: int
    conversation_id: str
    project_id: int | None = None
    channel: str | None = None
    visitor_id: str | None = None
    seen_at: float
    due_at: float
    close_announced_at: float | None = None
    listed_operators: Sequence[int] | None = None
    is_backfill: int = 0


def request_sync(connection: Connection, requests: Sequence[SyncRequest]) -> None:
    """Ask for conversations to be read, the known and the new; what was known of them is kept.

    What was given up begins anew: its failures of then are not counted. What was erased stays as it is.
    """
    if not requests:
        return
    # One order in every transaction, see locking.
    rows = sorted(
        requests, key=lambda request: (request.platform, request.client_id, request.conversation_id)
    )
    connection.execute(_upsert_requests(connection.dialect.name), [_row(request) for request in rows])


@cache  # to build a statement takes longer than to execute it
def _upsert_requests(dialect: str) -> Insert:
    insert = insert_of(dialect, conversations)
    new, old = insert.excluded, conversations.c
    at_rest = old.due_at.is_(None)
    is_over = or_(old.closed_at.is_not(None), old.close_announced_at.is_not(None))
    return insert.on_conflict_do_update(
        index_elements=["conversation_id", "platform", "client_id"],
        where=old.erased_at.is_(None),
        set_={
            "generation": old.generation + 1,
            "project_id": func.coalesce(new.project_id, old.project_id),
            "channel": func.coalesce(new.channel, old.channel),
            "visitor_id": func.coalesce(new.visitor_id, old.visitor_id),
            "close_announced_at": func.coalesce(new.close_announced_at, old.close_announced_at),
            "listed_operators": func.coalesce(new.listed_operators, old.listed_operators),
            "due_at": case(
                (old.due_at < new.due_at, old.due_at),
                # A late event of its beginning: there is nothing to wait for, and it is not running.
                (is_over & (new.due_at > new.first_seen_at), new.first_seen_at),
                else_=new.due_at,
            ),
            "attempts": case((at_rest, 0), else_=old.attempts),
            "problem": case((at_rest, null()), else_=old.problem),
            "waiting_since": case((at_rest, null()), else_=old.waiting_since),
            "is_backfill": case(
                (and_(old.due_at.is_not(None), old.is_backfill < new.is_backfill), old.is_backfill),
                else_=new.is_backfill,
            ),
        },
    )


def _row(request: SyncRequest) -> dict[str, object]:
    return {
        "platform": request.platform,
        "client_id": request.client_id,
        "conversation_id": request.conversation_id,
        "project_id": request.project_id,
        "channel": request.channel,
        "visitor_id": request.visitor_id,
        "first_seen_at": request.seen_at,
        "due_at": request.due_at,
        "close_announced_at": request.close_announced_at,
        "listed_operators": None
        if request.listed_operators is None
        else json.dumps(request.listed_operators),
        "is_backfill": request.is_backfill,
        "generation": 1,
        "attempts": 0,
        "lease": 0,
        "most_messages": 0,
        "most_profile": 0,
    }
