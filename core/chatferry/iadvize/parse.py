"""Parse a conversation of the GraphQL API into a :class:`~chatferry.model.Conversation`.

The parser is lenient: what is missing, null or of an unknown type is read as absent; only a conversation
without an id or a date is refused. No schema library is used, for speed: a document holds up to fifty
conversations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import isfinite
from operator import attrgetter
from typing import Any

from chatferry.errors import PlatformError
from chatferry.iadvize.attachments import read_attachments, without_aliases
from chatferry.iadvize.scalars import amount, legacy_id, moment, score, seconds
from chatferry.model import (
    Author,
    AuthorKind,
    Conversation,
    Message,
    Satisfaction,
    Transaction,
    Value,
    Visitor,
)
from chatferry.text import printable, storable

_KINDS = {
    "Visitor": AuthorKind.VISITOR,
    "Bot": AuthorKind.BOT,
    "Professional": AuthorKind.AGENT,
    "Expert": AuthorKind.AGENT,
    "IbbuManager": AuthorKind.AGENT,
    "Developer": AuthorKind.AGENT,
    "ThirdPartyAccount": AuthorKind.AGENT,
}
_OPERATORS = frozenset({AuthorKind.AGENT, AuthorKind.BOT})
_NO_OPERATOR = "ThirdPartyAccount"
_SYSTEM_MESSAGE = "SystemMessage"
_SYSTEM = Author(kind=AuthorKind.SYSTEM)
_VALUES = ("stringValue", "intValue", "floatValue", "booleanValue", "value", "values")
_NAMES = ("key", "name", "label", "title", "id")
_LARGEST_NUMBER = 2**63 - 1


def parse_conversation(raw: Mapping[str, Any], *, platform: str, client_id: int) -> Conversation:
    """Return the conversation that ``raw`` holds.

    :param raw: a ``Conversation`` of the GraphQL API, all messages in one page; its custom data
        may be beside it as ``visitorConversationCustomData``.
    :raises PlatformError: naming the path of what is missing, if it has no id or a message no date.
    """
    identity = _identity(raw.get("id"))
    if not identity:
        raise PlatformError("iAdvize's answer has no id at /id")
    created_at = moment(raw.get("createdAt"))
    reader = _Messages(identity, created_at)
    messages = reader.read(_edges(raw.get("messages")))
    project = _mapping(raw.get("project"))
    return Conversation(
        id=identity,
        platform=platform,
        client_id=client_id,
        project_id=legacy_id(project.get("id")),
        project_name=storable(project.get("name")),
        channel=_upper(raw.get("channel")),
        language=_language(raw.get("language")),
        created_at=created_at,
        closed_at=moment(raw.get("closedAt")),
        duration=seconds(raw.get("duration")),
        operator_ids=_operators(reader.operators, raw.get("users")),
        operators_known=bool(listed_operators(raw.get("users"))),
        visitor=_visitor(_mapping(raw.get("visitor"))),
        messages=messages,
        tags=_tags(raw.get("tags")),
        custom_data=_named_values(raw.get("visitorConversationCustomData") or raw.get("customData")),
        closing_form=_named_values(raw.get("closingFormValues")),
        satisfaction=_satisfaction(_mapping(raw.get("satisfactionSurvey"))),
        transactions=_transactions(raw.get("conversions")),
        raw=raw,
    )


class _Messages:
    """Reads the messages of one conversation and collects the operators who took part."""

    def __init__(self, conversation: str, at: datetime | None) -> None:
        self._conversation = conversation
        self._at = at
        self._authors: dict[tuple[str, str | int | None], Author] = {}
        self.operators: list[int] = []

    def read(self, edges: Sequence[Any]) -> tuple[Message, ...]:
        """Return the messages by time, ties in their order. One that is on two pages is read once."""
        found: dict[str, Message] = {}
        for index, edge in enumerate(edges):
            node = edge.get("node") if isinstance(edge, dict) else None
            if isinstance(node, dict):
                message = self._message(node, index)
                found.setdefault(message.id, message)
        return tuple(sorted(found.values(), key=attrgetter("at")))

    def _message(self, node: dict[str, Any], index: int) -> Message:
        # A message without a date gets that of the one before it.
        at = moment(node.get("createdAt")) or self._at
        if at is None:
            raise PlatformError(f"iAdvize's answer has no date at /messages/edges/{index}/node/createdAt")
        self._at = at
        attachments = read_attachments(node)
        if node.get("__typename") == _SYSTEM_MESSAGE:
            author = _SYSTEM
            self._note_pushed(attachments)
        else:
            author = self._author(node.get("author") or node.get("sentAs"))
        return Message(
            id=_identity(node.get("messageId") or node.get("systemMessageId"))
            or f"{self._conversation}/{index}",
            at=at,
            author=author,
            text=storable(node.get("text")) or "",
            attachments=attachments,
        )

    def _author(self, raw: Any) -> Author:
        if not isinstance(raw, dict):
            return _SYSTEM
        kind, identity = raw.get("__typename"), raw.get("id") or raw.get("visitorId")
        if identity is None:
            identity = without_aliases(raw).get("id")
        if not isinstance(identity, (str, int)):
            identity = None
        key = (str(kind), identity)
        author = self._authors.get(key)
        if author is None:
            author = self._authors[key] = self._new_author(*key, without_aliases(raw))
        return author

    def _new_author(self, kind: str, identity: str | int | None, raw: dict[str, Any]) -> Author:
        role = _KINDS.get(kind)
        if role is None:
            role = AuthorKind.BOT if "bot" in kind.lower() else AuthorKind.AGENT
        if role in _OPERATORS and kind != _NO_OPERATOR:
            self._note(identity)
        names = (_filled(raw.get(name)) for name in ("userName", "name", "firstName", "lastName"))
        return Author(
            kind=role,
            id=None if identity is None else storable(str(identity)),
            name=next((name for name in names if name), None),
        )

    def _note_pushed(self, attachments: Iterable[Any]) -> None:
        for attachment in attachments:
            user = attachment.raw.get("toUser") or attachment.raw.get("participant")
            if isinstance(user, dict) and user.get("__typename") not in {"Visitor", _NO_OPERATOR}:
                self._note(user.get("id") or without_aliases(user).get("id"))

    def _note(self, identity: Any) -> None:
        number = legacy_id(identity)
        if number is not None:
            self.operators.append(number)


def _visitor(raw: Mapping[str, Any]) -> Visitor:
    external = raw.get("externalUserId")
    return Visitor(
        id=_identity(raw.get("visitorId")),
        source=storable(raw.get("source")),
        external_id=_filled(external if external is not None else raw.get("externalId")),
        first_name=_filled(raw.get("firstName")),
        last_name=_filled(raw.get("lastName")),
        email=_filled(raw.get("email")),
        phone=_filled(raw.get("phoneNumber")),
        address=_filled(raw.get("address")),
        city=_filled(raw.get("city")),
        zip_code=_filled(raw.get("zipCode")),
        country=_filled(raw.get("country")),
        username=_filled(raw.get("username")),
        updated_at=moment(raw.get("updatedAt")),
    )


def _satisfaction(raw: Mapping[str, Any]) -> Satisfaction:
    return Satisfaction(
        csat=score(raw.get("customerSatisfaction"), 1, 5),
        nps=score(raw.get("netPromoterScore"), 0, 10),
        comment=_filled(raw.get("satisfactionComment") or raw.get("comment")),
    )


def _transactions(raw: Any) -> tuple[Transaction, ...]:
    """Read ``Conversions``, whose shape is undocumented: a list, or an object around one."""
    holder = _mapping(raw)
    listed = (
        raw if isinstance(raw, list) else next((v for v in holder.values() if isinstance(v, list)), [holder])
    )
    found = {}
    for each in listed:
        node = _mapping(_mapping(each).get("node") or each)
        identity = _identity(node.get("id"))
        if identity:
            found[identity] = Transaction(
                id=identity,
                external_id=storable(node.get("externalConversionId")),
                amount=amount(node.get("amount")),
                currency=storable(node.get("currency")),
                at=moment(node.get("eventDate")) or moment(node.get("createdAt")),
            )
    return tuple(found.values())


def _named_values(raw: Any) -> dict[str, Value]:
    """Read entries of a name and a value, in the known shapes of custom data and closing forms."""
    if isinstance(raw, dict):
        inner = raw.get("customData")
        if not isinstance(inner, list):
            return {name: _value(value) for name, value in raw.items() if not name.startswith("__")}
        raw = inner
    found: dict[str, Value] = {}
    for each in raw if isinstance(raw, list) else ():
        entry = without_aliases(each) if isinstance(each, dict) else {}
        name = next((str(entry[n]) for n in _NAMES if isinstance(entry.get(n), (str, int))), "")
        if name.strip():
            found[storable(name) or ""] = _value(
                next((entry[v] for v in _VALUES if entry.get(v) is not None), None)
            )
    return found


def _value(raw: Any) -> Value:
    if isinstance(raw, list):
        return ", ".join(str(each) for each in (_value(one) for one in raw) if each is not None)
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, int):
        return raw if abs(raw) <= _LARGEST_NUMBER else str(raw)
    if isinstance(raw, float):
        return raw if isfinite(raw) else None
    text = storable(raw)
    return text if text is None else printable(text)


def _tags(raw: Any) -> tuple[str, ...]:
    found = (
        _filled(tag) if isinstance(tag, str) else _first_filled(tag, "name", "label", "title", "value", "id")
        for tag in (raw if isinstance(raw, list) else ())
    )
    return tuple(dict.fromkeys(name for name in found if name))


def _language(raw: Any) -> str | None:
    found = _first_filled(raw, "code", "isoCode", "name") if isinstance(raw, dict) else _filled(raw)
    return found.lower() if found else None


def listed_operators(users: Any) -> tuple[int, ...] | None:
    """Return the ids of a conversation's ``users``, None if they are not there or not all can be read.

    iAdvize fills them in its list of closed conversations only (iAdvize docs, "Understand conversation
    data").
    """
    found = _user_ids(users)
    return (
        None
        if not isinstance(users, list) or None in found
        else tuple(each for each in found if each is not None)
    )


def _operators(spoke: Iterable[int], users: Any) -> tuple[int, ...]:
    return tuple(dict.fromkeys((*spoke, *(each for each in _user_ids(users) if each is not None))))


def _user_ids(users: Any) -> list[int | None]:
    found = (_mapping(user) for user in users) if isinstance(users, list) else ()
    return [legacy_id(user.get("id") or without_aliases(dict(user)).get("id")) for user in found]


def _edges(raw: Any) -> Sequence[Any]:
    edges = _mapping(raw).get("edges")
    return edges if isinstance(edges, list) else ()


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, dict) else {}


def _filled(raw: Any) -> str | None:
    """Return a text as it can be shown, trimmed; None if it is empty."""
    text = storable(raw)
    return (printable(text).strip() or None) if text else None


def _first_filled(raw: Any, *names: str) -> str | None:
    return next((text for name in names if (text := _filled(_mapping(raw).get(name)))), None)


def _identity(raw: Any) -> str | None:
    return str(raw) if type(raw) is int else storable(raw)


def _upper(raw: Any) -> str | None:
    text = _filled(raw)
    return text.upper() if text else None
