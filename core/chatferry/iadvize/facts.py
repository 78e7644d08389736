"""What the webhooks themselves tell of a conversation, beside its id.

Satisfaction and transactions arrive after the close, and who took part is complete only in the
webhooks (iAdvize docs, "Webhooks" and "Understand conversation data"). Whatever the order events
arrive in, the same facts come out, and whichever of them are no longer kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from chatferry.iadvize.scalars import legacy_id, moment
from chatferry.model import Conversation, Event, Satisfaction, Transaction
from chatferry.text import storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the events about one conversation say of it."""

    operator_ids: tuple[int, ...] = ()
    satisfaction: Satisfaction = field(default_factory=Satisfaction)
    transactions: tuple[Transaction, ...] = ()


def facts_of(events: Iterable[Event], event_facts: str | None = None) -> Facts:
    """Gather the facts; of two that contradict each other the later *said* one counts.

    :param event_facts: what :func:`retained_facts` of events that are gone.
    """
    operators: dict[int, None] = {}
    survey: dict[str, Any] = {}
    transactions: dict[str, Transaction] = {}
    for _, _, body in _statements(events, event_facts):
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


def retained_facts(events: Iterable[Event], event_facts: str | None = None) -> str | None:
    """Return as JSON what events tell that are about to go, and what went before them told.

    It is enough for :func:`facts_of`, and None if that is nothing.
    """
    statements = _statements(events, event_facts)
    operators = sorted({one for _, _, body in statements for one in _operators(body)})
    kept: list[_Statement] = [(0.0, "", {"operatorIds": operators})] if operators else []
    for said, event_id, body in statements:
        facts = {name: body[name] for name in _TOLD if body.get(name) is not None}
        if facts:
            kept.append((said, event_id, facts))
    return json.dumps(kept) if kept else None


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
_TOLD = (*_SURVEY, "transactionId", "externalId", "amount", "receivedAt")
"""What facts are made of, beside operators."""
_Statement: TypeAlias = tuple[float, str, Mapping[str, Any]]
"""When something was said, by iAdvize's clock; the event, which settles ties; and what."""


def _statements(events: Iterable[Event], event_facts: str | None) -> list[_Statement]:
    """Return what was ever said, in that order."""
    gone = [(said, event_id, body) for said, event_id, body in json.loads(event_facts or "[]")]
    heard = [
        ((event.occurred_at or event.received_at).timestamp(), event.event_id, _body(event))
        for event in events
    ]
    return sorted(gone + heard, key=lambda statement: statement[:2])


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
    text = storable(value)
    return text if text and text.strip() else None
