"""Taking what a visitor wrote out of the events the ledger keeps."""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, select, update

from chatferry.ledger.tables import conversations, events

PERSONAL: Final = ("satisfactionComment",)
"""What of an event's body a visitor wrote (iAdvize docs, "Webhooks", ``satisfaction.answered``)."""

_MARKS: Final = (*(name.encode() for name in PERSONAL), b"\\u")


def may_be_personal(body: bytes) -> bool:
    """Whether a body may hold what a visitor wrote; JSON may spell any name with escapes."""
    return any(mark in body for mark in _MARKS)


def redact(connection: Connection, which: ColumnElement[bool]) -> None:
    """Take what visitors wrote out of the events about some conversations."""
    of_them = and_(
        events.c.platform == conversations.c.platform,
        events.c.client_id == conversations.c.client_id,
        events.c.conversation_id == conversations.c.conversation_id,
    )
    query = select(events.c.id, events.c.body).join(conversations, of_them).where(which).order_by(events.c.id)
    for row in connection.execute(query).all():
        body = json.loads(row.body)
        left = {name: value for name, value in body.items() if name not in PERSONAL}
        if left != body:
            text = json.dumps(left, ensure_ascii=False).encode()
            connection.execute(update(events).where(events.c.id == row.id).values(body=text))
