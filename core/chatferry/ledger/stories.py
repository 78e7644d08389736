"""What the ledger holds of one conversation, beside its deliveries: its events and its row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, Table, select

from chatferry.ledger.database import Database
from chatferry.ledger.tables import conversations, events

_KEY = re.compile(r"([a-z]{2})-(\d+)-(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A conversation as an operator names it: iAdvize's id, or the whole key of a delivery."""

    conversation_id: str
    platform: str | None = None
    client_id: int | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``4c8c7408-…`` or ``ha-335-4c8c7408-…``."""
        found = _KEY.fullmatch(text)
        if found is None:
            return cls(conversation_id=text)
        return cls(platform=found[1], client_id=int(found[2]), conversation_id=found[3])


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event: what it says of itself, and why nothing follows from it, if so."""

    event_id: str
    event_type: str
    platform: str
    client_id: int | None
    project_id: int | None
    occurred_at: float | None
    received_at: float
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRow:
    """A conversation and its readings; see the columns of the table for what each means."""

    platform: str
    client_id: int
    conversation_id: str
    project_id: int | None
    channel: str | None
    first_seen_at: float
    close_announced_at: float | None
    closed_at: float | None
    synced_at: float | None
    due_at: float | None
    attempts: int
    is_backfill: int
    problem: str | None


class Stories:
    """Look one conversation up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def event_rows(self, name: Name) -> Sequence[EventRow]:
        """Return the events about a conversation, as they came."""
        columns = [events.c[one] for one in EventRow.__dataclass_fields__]
        query = select(*columns).where(*_about(events, name)).order_by(events.c.received_at, events.c.id)
        with self._database.read() as connection:
            return [EventRow(**row) for row in connection.execute(query).mappings()]

    def conversation_rows(self, name: Name) -> Sequence[ConversationRow]:
        """Return the conversations of this name: two clients may use one id."""
        columns = [conversations.c[one] for one in ConversationRow.__dataclass_fields__]
        query = select(*columns).where(*_about(conversations, name)).order_by(conversations.c.id)
        with self._database.read() as connection:
            return [ConversationRow(**row) for row in connection.execute(query).mappings()]


def _about(table: Table, name: Name) -> list[ColumnElement[bool]]:
    meant = [table.c.conversation_id == name.conversation_id]
    if name.platform is not None:
        meant += [table.c.platform == name.platform, table.c.client_id == name.client_id]
    return meant
