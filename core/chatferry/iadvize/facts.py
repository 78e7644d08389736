"""Facts about a conversation that only its webhooks carry: operators, satisfaction, transactions.

Satisfaction and transactions arrive after the close, and the list of operators is complete only in the
webhooks (iAdvize docs, "Webhooks" and "Understand conversation data"). The facts do not depend on the
order in which events arrive, nor on which of the events have been pruned.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from chatferry.iadvize.scalars import amount, legacy_id, moment, score
from chatferry.model import Conversation, Event, Satisfaction, Transaction
from chatferry.text import storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the events of one conversation say about it."""

    operator_ids: tuple[int, ...] = ()
    satisfaction: Satisfaction = field(default_factory=Satisfaction)
    transactions: tuple[Transaction, ...] = ()


def facts_of(events: Iterable[Event], event_facts: str | None = None) -> Facts:
    """Gather the facts; of two that contradict each other the one with the later date wins.

    :param event_facts: what :func:`retained_facts` returned for the events that are pruned.
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
            csat=score(survey.get("customerSatisfaction"), -_LARGEST_SCORE, _LARGEST_SCORE),
            nps=score(survey.get("netPromoterScore"), -_LARGEST_SCORE, _LARGEST_SCORE),
            comment=_text(survey.get("satisfactionComment")),
        ),
        transactions=_by_id(transactions.values()),
    )


def retained_facts(events: Iterable[Event], event_facts: str | None = None) -> str | None:
    """Return as JSON the facts of events that are about to be pruned, merged with those pruned before.

    None if there are none. It is the second argument of :func:`facts_of`.
    """
    statements = _statements(events, event_facts)
    operators = sorted({one for _, _, body in statements for one in _operators(body)})
    kept: list[_Statement] = [(0.0, "", {"operatorIds": operators})] if operators else []
    for at, event_id, body in statements:
        facts = {name: body[name] for name in _RETAINED if body.get(name) is not None}
        if facts:
            kept.append((at, event_id, facts))
    return json.dumps(kept) if kept else None


def enrich(conversation: Conversation, facts: Facts) -> Conversation:
    """Add facts to a conversation; what was read from the API takes precedence."""
    read = conversation.satisfaction
    reported = facts.satisfaction
    return replace(
        conversation,
        operator_ids=tuple(sorted({*conversation.operator_ids, *facts.operator_ids})),
        satisfaction=Satisfaction(
            csat=reported.csat if read.csat is None else read.csat,
            nps=reported.nps if read.nps is None else read.nps,
            comment=read.comment or reported.comment,
        ),
        transactions=_by_id(facts.transactions, conversation.transactions),
    )


_LARGEST_SCORE = 100
_LARGEST_AMOUNT = 1e15
_SURVEY = ("customerSatisfaction", "netPromoterScore", "satisfactionComment")
_RETAINED = (*_SURVEY, "transactionId", "externalId", "amount", "receivedAt")
"""The members that facts are made of, beside operators."""
_Statement: TypeAlias = tuple[float, str, Mapping[str, Any]]
"""When an event occurred, by iAdvize's clock; its id, which breaks ties; its body."""


def _statements(events: Iterable[Event], event_facts: str | None) -> list[_Statement]:
    """Return the statements of all events, pruned ones included, in the order of their dates."""
    pruned: list[_Statement] = [tuple(statement) for statement in json.loads(event_facts or "[]")]
    kept: list[_Statement] = [
        ((event.occurred_at or event.received_at).timestamp(), event.event_id, json.loads(event.body))
        for event in events
    ]
    return sorted(pruned + kept, key=lambda statement: statement[:2])


def _operators(body: Mapping[str, Any]) -> list[int]:
    """Read both spellings, each a number or an array of them: the shape changed over time."""
    values = [body.get("operatorIds"), body.get("operatorId")]
    found = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [number for one in found if (number := legacy_id(one)) is not None]


def _transaction(body: Mapping[str, Any]) -> Transaction:
    return Transaction(
        id=str(body["transactionId"]),
        external_id=_text(body.get("externalId")),
        amount=amount(body.get("amount"), _LARGEST_AMOUNT),
        at=moment(str(body.get("receivedAt"))),
    )


def _by_id(*groups: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """Return the transactions of all groups by id; those of a later group replace others."""
    found = {one.id: one for group in groups for one in group}
    return tuple(found[key] for key in sorted(found))


def _text(value: object) -> str | None:
    text = storable(value)
    return text if text and text.strip() else None
