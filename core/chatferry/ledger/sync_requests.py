"""Marking conversations due: the one thing every event, reconciliation and retry does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Insert, and_, case, func, null

from chatferry.ledger.dialects import insert_of
from chatferry.ledger.tables import conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What is known of a conversation that is to be read at ``due_at``.

    ``late`` is 1 for a conversation of the past, which waits behind live ones.
    """

    platform: str
    client_id: int
    conversation_id: str
    project_id: int | None = None
    channel: str | None = None
    visitor_id: str | None = None
    seen_at: float
    due_at: float
    close_heard_at: float | None = None
    late: int = 0


def mark_due(connection: Connection, marks: Sequence[Mark]) -> None:
    """Mark conversations due, the known and the new; what was known of them is kept.

    What was given up begins anew: its failures of then are not counted. What was erased stays as it is.
    """
    if not marks:
        return
    # One order for everybody: transactions that touch the same rows must not wait for each other.
    rows = sorted(marks, key=lambda mark: (mark.platform, mark.client_id, mark.conversation_id))
    connection.execute(_marking(connection.dialect.name), [_row(mark) for mark in rows])


@cache  # to build a statement takes longer than to execute it
def _marking(dialect: str) -> Insert:
    insert = insert_of(dialect, conversations)
    new, old = insert.excluded, conversations.c
    at_rest = old.due_at.is_(None)
    return insert.on_conflict_do_update(
        index_elements=["conversation_id", "platform", "client_id"],
        where=old.erased_at.is_(None),
        set_={
            "marks": old.marks + 1,
            "project_id": func.coalesce(new.project_id, old.project_id),
            "channel": func.coalesce(new.channel, old.channel),
            "visitor_id": func.coalesce(new.visitor_id, old.visitor_id),
            "close_heard_at": func.coalesce(new.close_heard_at, old.close_heard_at),
            "due_at": case((old.due_at < new.due_at, old.due_at), else_=new.due_at),
            "attempts": case((at_rest, 0), else_=old.attempts),
            "problem": case((at_rest, null()), else_=old.problem),
            "waiting_since": case((at_rest, null()), else_=old.waiting_since),
            "late": case((and_(old.due_at.is_not(None), old.late < new.late), old.late), else_=new.late),
        },
    )


def _row(mark: Mark) -> dict[str, object]:
    return {
        "platform": mark.platform,
        "client_id": mark.client_id,
        "conversation_id": mark.conversation_id,
        "project_id": mark.project_id,
        "channel": mark.channel,
        "visitor_id": mark.visitor_id,
        "first_seen_at": mark.seen_at,
        "due_at": mark.due_at,
        "close_heard_at": mark.close_heard_at,
        "late": mark.late,
        "marks": 1,
        "attempts": 0,
        "lease": 0,
    }
