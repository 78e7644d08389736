"""Where a delivery stands, and the three shapes that describe one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sqlalchemy import RowMapping, Select, select

from chatferry.ledger.tables import conversations, deliveries

ERASED: Final = "erased"
"""The reason of a discarded delivery whose person was erased: nothing queues it again."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    DUE = "due"
    DELIVERED = "delivered"
    DEAD = "dead"
    PARKED = "parked"
    DISCARDED = "discarded"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision about one lead and one destination; ``lead`` is its snapshot, None if skipped."""

    destination: str
    state: DeliveryState
    key: str
    email: str | None = field(default=None, repr=False)
    reason: str | None = None
    fingerprint: str | None = None
    lead: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery as the ledger has it. ``crm_message``, ``email`` and ``lead`` hold personal data."""

    id: int
    destination: str
    state: DeliveryState
    key: str
    conversation: int
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
class AttemptResult:
    """What became of a delivery: delivered with a receipt, due again at ``due_at``, or dead.

    ``counted`` is False where the failure was not the lead's own.
    """

    delivery: Delivery
    state: DeliveryState
    due_at: float | None = None
    receipt: str | None = None
    reason: str | None = None
    crm_message: str | None = field(default=None, repr=False)
    code: str | None = None
    reference: str | None = None
    counted: bool = True


_OF_CONVERSATION = ("platform", "client_id", "project_id", "conversation_id")

SELECT_DELIVERY: Final[Select[*tuple[object, ...]]] = select(
    *(
        (conversations if name in _OF_CONVERSATION else deliveries).c[name]
        for name in Delivery.__dataclass_fields__
    )
).join(conversations, deliveries.c.conversation == conversations.c.id)
"""Selects deliveries with what :class:`Delivery` says of their conversations."""


def delivery_of(row: RowMapping) -> Delivery:
    """Return a delivery from a row of :data:`SELECT_DELIVERY`."""
    return Delivery(**{**row, "state": DeliveryState(row["state"])})
