"""One generated conversation: who says what and when, and the answers that must be found in it.

The ground truth is recorded while the conversation is generated, question by question. It is never
parsed from the texts.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chatferry.emulators.iadvize.people import Operator, Person, make_uuid
from chatferry.emulators.iadvize.phrases import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One edge of a conversation; ``at`` is in seconds after its start.

    ``speaker`` is ``visitor``, ``brand``, ``system`` or an operator. A system line has one
    attachment and no text.
    """

    id: str
    at: float
    speaker: str | Operator
    text: str | None = field(default=None, repr=False)
    attachments: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueAnswer:
    """The right answer to a question; ``earlier`` is what was answered when it was asked before."""

    value: str = field(repr=False)
    message_ids: tuple[str, ...]
    earlier: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A survey answer or a purchase, so many seconds after the close."""

    after: float
    facts: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A whole conversation, without dates: it can be played at any time and speed."""

    number: int
    id: str
    kind: str
    language: str
    person: Person
    lines: tuple[Line, ...] = field(repr=False)
    duration: float
    pushes: tuple[tuple[float, int], ...]
    """When it was pushed to which operator."""
    answers: Mapping[str, TrueAnswer]
    asked: tuple[str, ...]
    files_only: tuple[str, ...] = ()
    """The questions that were replied to by a file and no word."""
    email_message_id: str | None = None
    """The message in which the visitor wrote their e-mail."""
    phone_message_id: str | None = None
    erased: bool = False
    """The visitor's personal data was deleted (VisitorAnonymize)."""
    anonymised: bool = False
    """The messages were deleted (ClosedConversationAnonymize)."""
    date_style: str = "Z"
    custom_data: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)
    tags: tuple[str, ...] = ()
    closing_form: Mapping[str, str] = field(default_factory=dict, repr=False)
    survey: tuple[Click, ...] = ()
    purchases: tuple[Click, ...] = ()

    @property
    def operator_ids(self) -> tuple[int, ...]:
        """The operators who took part, in the order they came."""
        return tuple(dict.fromkeys(operator for _, operator in self.pushes))


class Scene:
    """Generates a conversation line by line, and records the ground truth."""

    def __init__(self, rng: random.Random, language: Language, person: Person) -> None:
        self.rng = rng
        self.language = language
        self.person = person
        self.now = 0.0
        self.lines: list[Line] = []
        self.pushes: list[tuple[float, int]] = []
        self.email_message_id: str | None = None
        self.phone_message_id: str | None = None
        self._attempts: list[tuple[str, list[tuple[str, str]]]] = []
        self._filed: set[str] = set()

    def _add(self, speaker: str | Operator, text: str | None = None, *attachments: Mapping[str, Any]) -> str:
        line_id = make_uuid(self.rng)
        self.lines.append(Line(id=line_id, at=self.now, speaker=speaker, text=text, attachments=attachments))
        # Some lines share a timestamp: only the order of the edges tells them apart.
        self.now += self.rng.choice((0.0, 0.8, 3.5, 12.25, 41.007))
        return line_id

    def push(self, operator: Operator, user: Mapping[str, Any]) -> None:
        """Hand the conversation to an operator: a new contact starts."""
        self.pushes.append((self.now, operator.id))
        self.system("ConversationPushedSystemAttachment", toUser=user)

    def system(self, kind: str, **fields: Any) -> None:
        """Add a system message."""
        self._add("system", None, {"__typename": kind, **fields})

    def automatic(self, text: str, *, asks: tuple[str, ...] = ()) -> None:
        """Add an automatic message, which may ask questions."""
        self.system("AutomaticMessageSentSystemAttachment", text=text, participant=None)
        self._open(*asks)

    def operator(
        self,
        speaker: str | Operator,
        text: str | None,
        *attachments: Mapping[str, Any],
        asks: tuple[str, ...] = (),
    ) -> None:
        """Let an operator or the brand speak; ``asks`` names the questions it asks."""
        self._add(speaker, text, *attachments)
        self._open(*asks)

    def _open(self, *questions: str) -> None:
        # Questions of one message share the replies: which reply answers which question cannot be known.
        shared: list[tuple[str, str]] = []
        self._attempts.extend((question, shared) for question in questions)

    def visitor(self, text: str | None, *attachments: Mapping[str, Any]) -> str:
        """Let the visitor speak; text belongs to the question that is open."""
        line_id = self._add("visitor", text, *attachments)
        if text and self._attempts:
            self._attempts[-1][1].append((line_id, text))
        elif attachments and self._attempts:
            self._filed.add(self._attempts[-1][0])
        return line_id

    def write_contact(self) -> None:
        """Let the visitor write the addresses that are not in the profile."""
        if self.person.typed_email and self.email_message_id is None:
            hint = self.language.email_hint.format(email=self.person.typed_email)
            self.email_message_id = self.visitor(hint)
        if self.person.typed_phone and self.phone_message_id is None:
            hint = self.language.phone_hint.format(phone=self.person.typed_phone)
            self.phone_message_id = self.visitor(hint)

    @property
    def asked(self) -> tuple[str, ...]:
        """The questions that were asked, each once."""
        return tuple(dict.fromkeys(name for name, _ in self._attempts))

    @property
    def files_only(self) -> tuple[str, ...]:
        """The questions that were replied to by a file and no word."""
        answered = self.answers
        return tuple(sorted(name for name in self._filed if name not in answered))

    @property
    def answers(self) -> dict[str, TrueAnswer]:
        """The right answers: of a question asked again, the last that is not empty."""
        found: dict[str, list[list[tuple[str, str]]]] = {}
        for name, messages in self._attempts:
            if messages:
                found.setdefault(name, []).append(messages)
        return {
            name: TrueAnswer(
                value=_join(attempts[-1]),
                message_ids=tuple(line_id for line_id, _ in attempts[-1]),
                earlier=tuple(_join(attempt) for attempt in attempts[:-1]),
            )
            for name, attempts in found.items()
        }


def _join(messages: list[tuple[str, str]]) -> str:
    return "\n".join(text for _, text in messages)
