"""The nouns of chatferry: what was said, by whom, and what a connector receives.

Everything here is frozen data. Personal data is kept out of every ``repr``, so that a model
object in a log line or a traceback shows ids and shapes, never names, addresses or texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    Value: TypeAlias = str | int | float | bool | datetime | None
else:
    # The ledger's decoder reads these annotations, and a union of str and datetime is more than it
    # can tell apart before it has looked: MessagePack's own types tell it.
    Value: TypeAlias = Any
"""What a mapped field may hold on its way to a CRM."""


class AuthorKind(StrEnum):
    """Who speaks. A brand's own account on a social channel counts as an agent."""

    VISITOR = "visitor"
    AGENT = "agent"
    BOT = "bot"
    SYSTEM = "system"


class FieldMode(StrEnum):
    """How a mapped value meets what the CRM already holds."""

    OVERWRITE = "overwrite"
    FILL_IF_EMPTY = "fill-if-empty"
    CREATE_ONLY = "create-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One accepted webhook. ``body`` is the request as iAdvize signed it, byte for byte."""

    event_id: str
    event_type: str
    platform: str
    client_id: int | None = None
    project_id: int | None = None
    conversation_id: str | None = None
    channel: str | None = None
    operator_ids: tuple[int, ...] = ()
    visitor_id: str | None = None
    occurred_at: datetime | None = None
    received_at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The author of a message; ``id`` is iAdvize's, ``name`` what the visitor saw."""

    kind: AuthorKind
    id: str | None = None
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Something sent with a message, reduced to readable ``text``; ``raw`` is what iAdvize said.

    ``kind`` is the GraphQL type name, for instance ``QuickReplyMenuAttachment``.
    """

    kind: str
    text: str = field(repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation. ``text`` is raw markdown, markers included."""

    id: str
    at: datetime
    author: Author
    text: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()

    @property
    def texts(self) -> Iterator[str]:
        """Every readable text of the message, in reading order: its own, then its attachments'."""
        if self.text:
            yield self.text
        for attachment in self.attachments:
            if attachment.text:
                yield attachment.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The visitor as iAdvize knows them now; an erased visitor has ``None`` everywhere."""

    id: str | None = None
    source: str | None = None
    external_id: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    zip_code: str | None = field(default=None, repr=False)
    country: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Satisfaction:
    """What the visitor said of the conversation: ``csat`` 1 to 5, ``nps`` 0 to 10."""

    csat: int | None = None
    nps: int | None = None
    comment: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A purchase iAdvize attributed to the conversation, usually hours after it closed."""

    id: str
    external_id: str | None = None
    amount: float | None = None
    currency: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A parsed conversation. ``closed_at`` is None while it runs; messages are sorted by time.

    ``raw`` is iAdvize's own answer, beside the normalised one; it is never stored or logged.
    """

    id: str
    platform: str
    client_id: int
    project_id: int | None = None
    project_name: str | None = None
    channel: str | None = None
    language: str | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None
    duration: float | None = None
    """Seconds from the visitor's first word to the close."""
    operator_ids: tuple[int, ...] = ()
    operators_known: bool = True
    """Whether ``operator_ids`` is complete: the webhook of the close, or iAdvize's list, names them all."""
    visitor: Visitor = field(default_factory=Visitor)
    messages: tuple[Message, ...] = field(default=(), repr=False)
    tags: tuple[str, ...] = ()
    custom_data: Mapping[str, Value] = field(default_factory=dict, repr=False)
    closing_form: Mapping[str, Value] = field(default_factory=dict, repr=False)
    satisfaction: Satisfaction = field(default_factory=Satisfaction)
    transactions: tuple[Transaction, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def key(self) -> str:
        """The identity of the conversation across platforms and clients: ``ha-335-<uuid>``."""
        return f"{self.platform}-{self.client_id}-{self.id}"

    @property
    def answered(self) -> bool:
        """Whether an agent or a bot said a word."""
        return any(m.author.kind in {AuthorKind.AGENT, AuthorKind.BOT} for m in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One finding of a strategy, which can be pointed at in the transcript.

    ``earlier`` holds what the same question was answered before, oldest first; ``more`` the ids of the
    messages that the visitor wrote after the answer had ended, before the next marked question.
    """

    name: str
    value: str = field(repr=False)
    message_ids: tuple[str, ...]
    strategy: str
    question: str | None = field(default=None, repr=False)
    earlier: tuple[Answer, ...] = ()
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The mapped fields of one CRM object, by sync mode.

    ``values`` overwrite; a ``None`` in it clears the CRM's field and is there only because the
    mapping says so for that field: an empty value is otherwise left out before a connector sees it.
    """

    values: Mapping[str, Value] = field(default_factory=dict, repr=False)
    fill_if_empty: Mapping[str, Value] = field(default_factory=dict, repr=False)
    create_only: Mapping[str, Value] = field(default_factory=dict, repr=False)

    @property
    def initial(self) -> dict[str, Value]:
        """Every field a newly created CRM object gets, cleared ones left out."""
        merged = {**self.create_only, **self.fill_if_empty, **self.values}
        return {name: value for name, value in merged.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the CRM said: the ids of the records by object name, where to look, and what happened.

    ``notes`` tell the operator what was changed on the way, such as a transcript that was cut.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    created: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What a connector receives: a conversation, its visitor, the answers and the mapped records.

    ``key`` names the conversation's record in every CRM and never changes; ``contact_key`` names
    the visitor's: the e-mail in lower case when there is one, else the visitor's iAdvize id.
    ``receipt`` is what the CRM said when this lead was delivered before, if it was.

    ``update_only`` says that iAdvize shows less of it than when it was delivered, for instance because
    the visitor was erased. ``records`` then hold only what is still shown: they go into the records
    that the receipt names, the contact stays the same one, and nothing is created; a record that is
    gone is left out.
    """

    key: str
    contact_key: str = field(repr=False)
    email: str | None = field(default=None, repr=False)
    conversation: Conversation
    answers: Mapping[str, Answer] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    receipt: Receipt | None = None
    update_only: bool = False
    notes: tuple[str, ...] = ()
    """What was left out of it before it came to the connector; the engine adds them to its receipt."""

    @property
    def visitor(self) -> Visitor:
        """The visitor of the conversation."""
        return self.conversation.visitor

    @property
    def transcript(self) -> str:
        """The readable conversation, if the destination uses the ``transcript`` strategy."""
        found = self.answers.get("transcript")
        return found.value if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFailure:
    """A way in which a plugin's hook fails; ``reason`` names what was raised and where."""

    plugin: str
    version: str
    hook: str
    reason: str
