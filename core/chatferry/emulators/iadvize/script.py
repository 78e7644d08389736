"""One generated conversation: who says what and when, and the answers that must be found in it.

The ground truth is recorded while the conversation is generated, question by question. It is never
parsed from the texts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
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
    aside: str = field(default="", repr=False)
    """What the visitor said next, once the brand had put in a word: whether that belongs to it is open."""

    @property
    def values(self) -> tuple[str, ...]:
        """The answers that are right, one of them unless there is an aside."""
        return (self.value, f"{self.value}\n{self.aside}") if self.aside else (self.value,)


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


@dataclass(slots=True, kw_only=True)
class Attempt:
    """What the visitor replied to the questions of one message."""

    replies: list[tuple[str, str]] = field(default_factory=list, repr=False)
    aside: str = field(default="", repr=False)

    @property
    def value(self) -> str:
        """The replies, a line each."""
        return "\n".join(text for _, text in self.replies)


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
        self._attempts: list[tuple[str, Attempt]] = []
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
        shared = Attempt()
        self._attempts.extend((question, shared) for question in questions)

    def reply(self, text: str | None, *attachments: Mapping[str, Any]) -> str:
        """Let the visitor reply to the question that is open."""
        line_id = self.visitor(text, *attachments)
        if text and self._attempts:
            self._attempts[-1][1].replies.append((line_id, text))
        elif attachments and self._attempts:
            self._filed.add(self._attempts[-1][0])
        return line_id

    def aside(self, text: str, *attachments: Mapping[str, Any]) -> None:
        """Let the visitor say something after a reply that may be part of it or not."""
        self.visitor(text, *attachments)
        self._attempts[-1][1].aside = text

    def visitor(self, text: str | None, *attachments: Mapping[str, Any]) -> str:
        """Let the visitor say something that is no reply to a marked question."""
        return self._add("visitor", text, *attachments)

    def write_contact(self, say: Callable[[str], str] | None = None) -> None:
        """Let the visitor write the addresses that are not in the profile, as a reply or otherwise."""
        say = say or self.visitor
        if self.person.typed_email and self.email_message_id is None:
            self.email_message_id = say(self.language.email_hint.format(email=self.person.typed_email))
        if self.person.typed_phone and self.phone_message_id is None:
            self.phone_message_id = say(self.language.phone_hint.format(phone=self.person.typed_phone))

    @property
    def has_contact_to_write(self) -> bool:
        """Whether the visitor has an address that is neither in the profile nor written yet."""
        email = self.person.typed_email and self.email_message_id is None
        return bool(email or (self.person.typed_phone and self.phone_message_id is None))

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
        found: dict[str, list[Attempt]] = {}
        for name, attempt in self._attempts:
            if attempt.replies:
                found.setdefault(name, []).append(attempt)
        return {
            name: TrueAnswer(
                value=last.value,
                message_ids=tuple(line_id for line_id, _ in last.replies),
                earlier=tuple(attempt.value for attempt in earlier),
                aside=last.aside,
            )
            for name, (*earlier, last) in found.items()
        }
