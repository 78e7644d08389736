"""Facts about a conversation that only its webhooks carry: operators, satisfaction, transactions.

Satisfaction and transactions arrive after the close, and the list of operators is complete only in the
webhooks (iAdvize docs, "Webhooks" and "Understand conversation data"). The facts do not depend on the
order in which events arrive, nor on which of the events have been pruned.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from chatferry.iadvize.ratings import SHOWN, Shown, newest
from chatferry.iadvize.scalars import amount, legacy_id, moment, score
from chatferry.model import Conversation, Event, Satisfaction, Transaction
from chatferry.text import printable, storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the events of one conversation say about it."""

    operator_ids: tuple[int, ...] = ()
    operators_known: bool = False
    """Whether those are all who took part."""
    satisfaction: Satisfaction = field(default_factory=Satisfaction)
    satisfaction_at: Mapping[str, float] = field(default_factory=dict)
    """The date of each rating, in seconds since 1970."""
    equally_new: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """What else was said of each at that moment: the dates of events are in seconds."""
    shown: Shown = field(default_factory=dict)
    transactions: tuple[Transaction, ...] = ()


def facts_of(
    events: Iterable[Event], event_facts: str | None = None, listed_operators: Sequence[int] | None = None
) -> Facts:
    """Gather the facts; of two that contradict each other the one with the later date wins.

    :param event_facts: what :func:`retained_facts` returned for the events that are pruned.
    :param listed_operators: what iAdvize's list of closed conversations says; None if nothing.
    """
    operators: dict[int, None] = dict.fromkeys(listed_operators or ())
    known = listed_operators is not None
    survey: dict[str, Any] = {}
    survey_at: dict[str, float] = {}
    tied: dict[str, tuple[Any, ...]] = {}
    shown: Shown = {}
    transactions: dict[str, Transaction] = {}
    for at, _, body in _statements(events, event_facts):
        operators |= dict.fromkeys(_operators(body))
        known = known or _names_all(body)
        told = _ratings(body)
        for name, value in told.items():
            tied[name] = (*(tied.get(name, ()) if survey_at.get(name) == at else ()), value)
        survey |= told
        survey_at |= dict.fromkeys(told, at)
        shown = body.get(SHOWN, shown)
        if body.get("transactionId"):
            transactions[str(body["transactionId"])] = _transaction(body)
    return Facts(
        operator_ids=tuple(sorted(operators)),
        operators_known=known,
        satisfaction=Satisfaction(**survey),
        satisfaction_at=survey_at,
        equally_new=tied,
        shown=shown,
        transactions=_by_id(transactions.values()),
    )


def retained_facts(events: Iterable[Event], event_facts: str | None = None) -> str | None:
    """Return as JSON the facts of events that are about to be pruned, merged with those pruned before.

    None if there are none. It is the second argument of :func:`facts_of`.
    """
    statements = _statements(events, event_facts)
    kept: list[_Statement] = [(0.0, "", body) for body in _operators_of([body for _, _, body in statements])]
    for at, event_id, body in statements:
        facts = {name: body[name] for name in (*_RETAINED, SHOWN) if body.get(name) is not None}
        if facts:
            kept.append((at, event_id, facts))
    return json.dumps(kept) if kept else None


def enrich(conversation: Conversation, facts: Facts) -> Conversation:
    """Add facts to a conversation; what was read from the API takes precedence, but over newer ratings."""
    return replace(
        conversation,
        operator_ids=tuple(sorted({*conversation.operator_ids, *facts.operator_ids})),
        operators_known=conversation.operators_known or facts.operators_known,
        satisfaction=newest(
            conversation.satisfaction,
            facts.satisfaction,
            facts.satisfaction_at,
            facts.shown,
            equally_new=facts.equally_new,
        ),
        transactions=_by_id(facts.transactions, conversation.transactions),
    )


_LARGEST_SCORE = 100
_LARGEST_AMOUNT = 1e15
_SURVEY = ("customerSatisfaction", "netPromoterScore", "satisfactionComment")
_RETAINED = (*_SURVEY, "transactionId", "externalId", "amount", "receivedAt")
"""The members that facts are made of, beside operators."""
_Statement: TypeAlias = tuple[float, str, Mapping[str, Any]]
"""When an event occurred, by iAdvize's clock; what breaks ties: its arrival, and its id; its body."""


def _statements(events: Iterable[Event], event_facts: str | None) -> list[_Statement]:
    """Return the statements of all events, pruned ones included, in the order of their dates."""
    pruned: list[_Statement] = [tuple(statement) for statement in json.loads(event_facts or "[]")]
    kept: list[_Statement] = [
        (
            (event.occurred_at or event.received_at).timestamp(),
            f"{event.received_at.timestamp():.6f} {event.event_id}",
            json.loads(event.body),
        )
        for event in events
    ]
    return sorted(pruned + kept, key=lambda statement: statement[:2])


def _ratings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ratings of an event that can be read, by their names in the model."""
    found = {
        "csat": score(body.get("customerSatisfaction"), -_LARGEST_SCORE, _LARGEST_SCORE),
        "nps": score(body.get("netPromoterScore"), -_LARGEST_SCORE, _LARGEST_SCORE),
        "comment": _text(body.get("satisfactionComment")),
    }
    return {name: value for name, value in found.items() if value is not None}


def _operators_of(bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the least number of bodies that say of the operators what these say."""
    operators = sorted({one for body in bodies for one in _operators(body)})
    if any(_names_all(body) for body in bodies):
        return [{"operatorIds": operators}]
    return [{"operatorId": one} for one in operators]


def _names_all(body: Mapping[str, Any]) -> bool:
    """Whether an event names all operators, as that of a close does: its array may be empty."""
    listed = [value for name in ("operatorIds", "operatorId") if isinstance(value := body.get(name), list)]
    return bool(listed) and all(legacy_id(one) is not None for value in listed for one in value)


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
    return printable(text) if text and text.strip() else None
