"""What the webhooks themselves tell of a conversation, beside its id.

Satisfaction and transactions arrive after the close, and who took part is complete only in the
webhooks (iAdvize docs, "Webhooks" and "Understand conversation data"). Whatever the order events
arrive in, the same facts come out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chatferry.iadvize.scalars import clean, legacy_id, moment
from chatferry.model import Conversation, Event, Satisfaction, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the events about one conversation say of it."""

    operator_ids: tuple[int, ...] = ()
    satisfaction: Satisfaction = field(default_factory=Satisfaction)
    transactions: tuple[Transaction, ...] = ()


def facts_of(events: Iterable[Event]) -> Facts:
    """Gather the facts; of two that contradict each other the later *said* one counts."""
    bodies = [_body(event) for event in sorted(events, key=_said)]
    operators: dict[int, None] = {}
    survey: dict[str, Any] = {}
    transactions: dict[str, Transaction] = {}
    for body in bodies:
        operators |= dict.fromkeys(_operators(body))
        survey |= {name: body[name] for name in _SURVEY if body.get(name) is not None}
        if body.get("transactionId"):
            transactions[str(body["transactionId"])] = _transaction(body)
    return Facts(
        operator_ids=tuple(sorted(operators)),
        satisfaction=Satisfaction(
            csat=_integer(survey.get("customerSatisfaction")),
            nps=_integer(survey.get("netPromoterScore")),
            comment=_text(survey.get("satisfactionComment")),
        ),
        transactions=tuple(transactions[key] for key in sorted(transactions)),
    )


def enrich(conversation: Conversation, facts: Facts) -> Conversation:
    """Complete what was read by what was told; what was read wins."""
    read = conversation.satisfaction
    told = facts.satisfaction
    return replace(
        conversation,
        operator_ids=tuple(sorted({*conversation.operator_ids, *facts.operator_ids})),
        satisfaction=Satisfaction(
            csat=told.csat if read.csat is None else read.csat,
            nps=told.nps if read.nps is None else read.nps,
            comment=read.comment or told.comment,
        ),
        transactions=_merged(conversation.transactions, facts.transactions),
    )


_LARGEST_SCORE = 100
_LARGEST_AMOUNT = 1e15
_SURVEY = ("customerSatisfaction", "netPromoterScore", "satisfactionComment")


def _said(event: Event) -> tuple[datetime, str]:
    """When it was said, by iAdvize's clock; the id settles ties the same way each time."""
    return event.occurred_at or event.received_at, event.event_id


def _body(event: Event) -> Mapping[str, Any]:
    body: Mapping[str, Any] = json.loads(event.body)
    return body


def _operators(body: Mapping[str, Any]) -> list[int]:
    """Both spellings, each as a number or an array of them (iAdvize's own history of the shape)."""
    values = [body.get("operatorIds"), body.get("operatorId")]
    found = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [number for one in found if (number := legacy_id(one)) is not None]


def _transaction(body: Mapping[str, Any]) -> Transaction:
    return Transaction(
        id=str(body["transactionId"]),
        external_id=_text(body.get("externalId")),
        amount=_amount(body.get("amount")),
        at=moment(str(body.get("receivedAt"))),
    )


def _merged(read: Sequence[Transaction], told: Sequence[Transaction]) -> tuple[Transaction, ...]:
    by_id = {one.id: one for one in told} | {one.id: one for one in read}
    return tuple(by_id[key] for key in sorted(by_id))


def _integer(value: object) -> int | None:
    """A score; a number no survey has is none."""
    return value if type(value) is int and abs(value) <= _LARGEST_SCORE else None


def _amount(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) <= _LARGEST_AMOUNT else None


def _text(value: object) -> str | None:
    text = clean(value)
    return text if text and text.strip() else None
