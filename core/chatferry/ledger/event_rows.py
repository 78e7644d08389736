"""Events as the ledger gives them back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from chatferry.model import Event


def event_of(row: Row[*tuple[Any, ...]]) -> Event:
    """Return an event from its row."""
    return Event(
        event_id=row.event_id,
        event_type=row.event_type,
        platform=row.platform,
        client_id=row.client_id,
        project_id=row.project_id,
        conversation_id=row.conversation_id,
        occurred_at=_moment(row.occurred_at),
        received_at=datetime.fromtimestamp(row.received_at, UTC),
        body=row.body,
    )


def _moment(at: float | None) -> datetime | None:
    """Return a time; None if there is none, or none a calendar has: floats round the year 9999 up."""
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return None
