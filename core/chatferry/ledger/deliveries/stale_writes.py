"""Stale writes: older content may have reached a CRM after newer, so the newer is written once more.

One batch is in flight per destination, but a process that is suspended for longer than its lease, or a
call that hangs, may write what it has long after another process has written something newer.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Double, and_, bindparam, case, func, or_, select, update

from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.snapshot import fingerprint
from chatferry.ledger.tables import conversations, deliveries
from chatferry.model import Lead

_IS_DELIVERED: Final = deliveries.c.state == DeliveryState.DELIVERED.value
# No IN: a statement that is executed for many rows at once cannot have one.
_IN_USE: Final = or_(deliveries.c.state == DeliveryState.DUE.value, _IS_DELIVERED)

STALE: Final = and_(deliveries.c.version > bindparam("of_version"), _IN_USE)
"""Whether a delivery has got newer content since ``of_version`` was handed over."""

ANEW: Final[dict[str, Any]] = {
    "state": DeliveryState.DUE.value,
    "due_at": case((_IS_DELIVERED, bindparam("at", type_=Double)), else_=deliveries.c.due_at),
    "reason": case((_IS_DELIVERED, "an older content may have overwritten it"), else_=deliveries.c.reason),
    # Another batch may hold the newer content just now: what becomes of it is of another version.
    "version": deliveries.c.version + 1,
}
"""What makes such a delivery due with the content it has, from ``at`` on."""

WRITTEN_OVER: Final = update(deliveries).where(deliveries.c.id == bindparam("of_id"), STALE).values(**ANEW)
"""For one delivery, by ``of_id`` and ``of_version``."""

_CONVERSATION: Final = (
    select(conversations.c.id)
    .where(
        conversations.c.conversation_id == bindparam("of_conversation"),
        conversations.c.platform == bindparam("of_platform"),
        conversations.c.client_id == bindparam("of_client"),
    )
    .scalar_subquery()
)

_LEAD_WRITTEN_OVER: Final = (
    update(deliveries)
    .where(
        _IN_USE,
        deliveries.c.conversation == _CONVERSATION,
        deliveries.c.destination == bindparam("of_destination"),
        func.coalesce(deliveries.c.fingerprint, "") != bindparam("what"),
    )
    .values(**ANEW)
)


def rewrite_stale(connection: Connection, destination: str, lead: Lead, now: float) -> None:
    """Have the content that ``lead`` has got since written once more, if there is any."""
    talk = lead.conversation
    where = {"of_conversation": talk.id, "of_platform": talk.platform, "of_client": talk.client_id}
    meant = {"of_destination": destination, "what": fingerprint(lead), "at": now}
    connection.execute(_LEAD_WRITTEN_OVER, {**where, **meant})
