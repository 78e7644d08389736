"""Readings that show less than earlier ones: visitor erased, messages gone, or iAdvize left them out.

What was known is kept, so that the conversation stays with its contact; a CRM is written only
what iAdvize still shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Final, TypeVar

from chatferry.model import Conversation, Message, Record, Satisfaction, Value, Visitor

_PROFILE: Final = attrgetter(
    "external_id", "first_name", "last_name", "email", "phone", "address", "city", "zip_code", "username"
)
_WITH_EMAIL: Final = 2
_T = TypeVar("_T", Visitor, Satisfaction)
_V = TypeVar("_V", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much a reading shows, without a word of it.

    ``messages`` counts those with content; ``profile`` is 0 without personal data of the visitor,
    1 with some and 2 with an e-mail.
    """

    messages: int = 0
    profile: int = 0

    def at_least(self, other: Extent) -> Extent:
        """Return the larger of each."""
        return Extent(messages=max(self.messages, other.messages), profile=max(self.profile, other.profile))

    def is_less_than(self, other: Extent) -> bool:
        """Whether it lacks something that ``other`` has."""
        return self.messages < other.messages or self.profile < other.profile


def extent_of(conversation: Conversation) -> Extent:
    """Return how much of a conversation was read."""
    profile = _WITH_EMAIL if conversation.visitor.email else int(any(_PROFILE(conversation.visitor)))
    return Extent(messages=sum(map(_has_content, conversation.messages)), profile=profile)


def completed(conversation: Conversation, before: Conversation) -> Conversation:
    """Return a conversation with what an earlier reading of it showed and this one does not."""
    messages = {one.id: one for one in before.messages}
    messages |= {one.id: one for one in conversation.messages if _has_content(one) or one.id not in messages}
    transactions = {one.id: one for one in (*before.transactions, *conversation.transactions)}
    return replace(
        conversation,
        project_id=_first(conversation.project_id, before.project_id),
        project_name=conversation.project_name or before.project_name,
        channel=conversation.channel or before.channel,
        language=conversation.language or before.language,
        created_at=conversation.created_at or before.created_at,
        closed_at=conversation.closed_at or before.closed_at,
        duration=_first(conversation.duration, before.duration),
        operator_ids=tuple(sorted({*before.operator_ids, *conversation.operator_ids})),
        operators_known=conversation.operators_known or before.operators_known,
        visitor=_filled(conversation.visitor, before.visitor),
        messages=tuple(sorted(messages.values(), key=attrgetter("at"))),
        tags=conversation.tags or before.tags,
        custom_data={**before.custom_data, **conversation.custom_data},
        closing_form={**before.closing_form, **conversation.closing_form},
        satisfaction=_filled(conversation.satisfaction, before.satisfaction),
        transactions=tuple(transactions[identity] for identity in sorted(transactions)),
    )


def cleared(complete: Mapping[str, Record], shown: Mapping[str, Record]) -> dict[str, Record]:
    """Return the records of a completed lead, with the fields emptied that the mapping clears.

    :param shown: the records of what iAdvize still shows.
    """
    return {
        name: replace(record, values={**record.values, **_emptied(shown.get(name, Record()).values)})
        for name, record in complete.items()
    }


def still_shown(complete: Mapping[str, Record], shown: Mapping[str, Record]) -> dict[str, Record]:
    """Return of the records of a completed lead what iAdvize still shows, and what the mapping clears."""
    narrowed = {}
    for name, record in complete.items():
        seen = shown.get(name, Record())
        narrowed[name] = Record(
            values={**_same(record.values, seen.values), **_emptied(seen.values)},
            fill_if_empty=_same(record.fill_if_empty, seen.fill_if_empty),
            create_only=_same(record.create_only, seen.create_only),
        )
    return narrowed


def _has_content(message: Message) -> bool:
    return bool(message.text or message.attachments)


def _filled(now: _T, before: _T) -> _T:
    """Return ``now`` with the fields of ``before`` where it has none."""
    missing = (one.name for one in fields(now) if getattr(now, one.name) is None)
    return replace(now, **{name: getattr(before, name) for name in missing})


def _first(now: _V | None, before: _V | None) -> _V | None:
    return before if now is None else now


def _same(complete: Mapping[str, Value], shown: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in complete.items() if name in shown and shown[name] == value}


def _emptied(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the fields that are to be cleared: a None is there only because the mapping says so."""
    return {name: value for name, value in values.items() if value is None}
