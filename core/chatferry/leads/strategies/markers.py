"""``markers``: what the visitor said after each question that carries the invisible ``[](Qn)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate

from chatferry.leads.marker_syntax import find, normalise
from chatferry.leads.strategies.replies import Reply
from chatferry.model import Answer, AuthorKind, Conversation, Message
from chatferry.strategy import Strategy
from chatferry.text import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as it was asked once: its name, its text, and the replies to it.

    Several markers in one message share the replies: which words answer which cannot be known.
    """

    name: str
    question: str = field(repr=False)
    message_id: str
    replies: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The id and the readable text of each reply."""
    more: tuple[str, ...] = ()
    """The ids of the visitor's messages after the replies, up to the next marked question."""


def asked(conversation: Conversation, *, interjections: int | None = None) -> Iterator[Asked]:
    """Return every marked question in the order asked, answered or not.

    Questions are asked by agents, bots and automatic texts, in attachments too. A file is a reply where there
    is no text.

    :param interjections: how many times the brand may speak within the replies to a question; None: its
        messages without a marker end nothing.
    """
    reply: Reply | None = None
    for message in conversation.messages:
        if message.author.kind is AuthorKind.VISITOR:
            if reply:
                reply.add(message)
        elif questions := _questions(message):
            if reply:
                yield from _closed(reply)
            reply = Reply(asked=message, questions=questions, interjections=interjections)
        elif reply:
            reply.interrupt(message)
    if reply:
        yield from _closed(reply)


def _closed(reply: Reply) -> Iterator[Asked]:
    for name, question in reply.questions:
        yield Asked(
            name=name,
            question=question,
            message_id=reply.asked.id,
            replies=tuple(reply.said),
            more=tuple(reply.more),
        )


def _questions(message: Message) -> list[tuple[str, str]]:
    text = "\n".join(message.texts) if message.attachments else message.text
    return find(printable(text)) if "]" in text else []


class Names(fields.Dict):
    """A table that renames questions: ``names = { Q1 = "vehicle" }``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.String(), fields.String(), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        renamed: dict[str, str] = {}
        written: str
        name: str
        for written, name in super()._deserialize(value, attr, data, **kwargs).items():  # type: ignore[no-untyped-call]  # (marshmallow's)
            question = normalise(written)
            if question is None:
                raise ValidationError(f'"{written}" names no question; write Q1, Q2, ...')
            if not name.isidentifier() or name.startswith("_"):
                raise ValidationError(f'"{name}" is no name a mapping can use; write one word, as in vehicle')
            renamed[question] = name
        return renamed


class MarkersSettings(Schema):
    """The options of ``markers``."""

    names = Names(load_default=dict)
    interjections = fields.Integer(load_default=1, strict=True, validate=validate.Range(0, 1000))
    until_next_marker = fields.Boolean(load_default=False)
    unanswered = fields.String(load_default=None, allow_none=True, validate=validate.Length(min=1))


class Markers(Strategy):
    """Answers are named ``Q1``, ``Q2``…, or as ``names`` says.

    A question asked again takes its last reply; earlier ones stay in ``Answer.earlier``. A
    question without a reply gives no answer, unless ``unanswered`` says what to put: then an
    administrator can tell "asked, no reply" from "never asked". Such an answer points at the
    question's own message. Two questions renamed to one name count as one asked again.

    An answer ends where the talk turns to something else, as :mod:`~chatferry.leads.strategies.replies` says:
    the brand may speak ``interjections`` times within it. With ``until_next_marker`` it ends at the next
    marked question only.
    """

    name: ClassVar[str] = "markers"
    Settings: ClassVar[type[Schema]] = MarkersSettings

    @property
    def _interjections(self) -> int | None:
        return None if self.settings.get("until_next_marker") else self.settings.get("interjections", 1)

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:  # noqa: ARG002  (a strategy's signature)
        """Return one answer a question that was replied to."""
        names: Mapping[str, str] = self.settings.get("names") or {}
        unanswered: str | None = self.settings.get("unanswered")
        replied: dict[str, list[Asked]] = {}
        silent: dict[str, Asked] = {}
        interjections = (
            None if self.settings.get("until_next_marker") else self.settings.get("interjections", 1)
        )
        for once in asked(conversation, interjections=interjections):
            name = names.get(once.name, once.name)
            if not once.replies:
                silent[name] = once
            elif name not in replied or replied[name][-1].message_id != once.message_id:
                replied.setdefault(name, []).append(once)
        for name, history in replied.items():
            *earlier, last = [_answer(name, once) for once in history]
            yield replace(last, earlier=tuple(earlier)) if earlier else last
        if unanswered:
            for name, once in silent.items():
                if name not in replied:
                    yield _placeholder(name, once, unanswered)


def _answer(name: str, once: Asked) -> Answer:
    return Answer(
        name=name,
        value=_joined(text for _, text in once.replies),
        message_ids=tuple(message_id for message_id, _ in once.replies),
        strategy=Markers.name,
        question=once.question or None,
        more=once.more,
    )


def _joined(texts: Iterable[str]) -> str:
    """Join replies; two that make a marker only together lose its bracket, not their words."""
    value = "\n".join(texts)
    return value.replace("[", "").strip() if "[" in value and find(value) else value


def _placeholder(name: str, once: Asked, value: str) -> Answer:
    return Answer(
        name=name,
        value=value,
        message_ids=(once.message_id,),
        strategy=Markers.name,
        question=once.question or None,
        more=once.more,
    )
