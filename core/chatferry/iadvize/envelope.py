"""The envelope of a webhook: bytes to an :class:`~chatferry.model.Event`, or a refusal that says why.

The shapes are those of the iAdvize docs, "Webhooks", the deprecated and removed ones included.
An unknown event type is accepted. This runs before every acknowledgement, hence plain functions:
a schema library took three times as long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from chatferry.errors import WebhookRefused
from chatferry.iadvize.scalars import legacy_id, moment
from chatferry.logs import get_logger
from chatferry.model import Event

_LOG = get_logger("chatferry.iadvize")
_LONGEST_ID = 128
_UUID_LENGTH = 36
_BYTE_ORDER_MARK = "\ufeff"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def read_event(
    raw: bytes,
    *,
    content_type: str | None,
    received_at: datetime,
    limit: int = 262_144,
    depth: int = 32,
) -> Event:
    """Return the event that ``raw`` holds; verify its signature first.

    :param limit: bytes a body may have.
    :param depth: how deeply its JSON may be nested.
    :raises WebhookRefused: 413, 415, 400 (no JSON) or 422 (not an event), naming what is wrong where.
    """
    check_content_type(content_type)
    if len(raw) > limit:
        raise WebhookRefused(413, "Body too large", f"a body has {limit} bytes at most")
    document = _decode(raw, depth)
    if not isinstance(document, dict):
        raise WebhookRefused(422, "Not an event", "the body is not a JSON object")
    found, left_out = _members(document)
    if left_out:
        get_logger("chatferry.iadvize").warning(
            "facts left out", id=found["eventId"], type=found["eventType"], detail="; ".join(left_out)
        )
    channel = found.get("channel")
    return Event(
        event_id=found["eventId"],
        event_type=found["eventType"],
        platform=found["platform"].lower(),
        client_id=found.get("clientId"),
        project_id=found.get("projectId", found.get("websiteId")),
        conversation_id=found.get("conversationId"),
        channel=channel.upper() if channel else None,
        operator_ids=found.get("operatorIds") or found.get("operatorId") or (),
        visitor_id=found.get("visitorId"),
        occurred_at=found.get("createdAt"),
        received_at=received_at,
        body=raw,
    )


def check_content_type(content_type: str | None) -> None:
    """Accept JSON.

    :raises WebhookRefused: 415, for anything else.
    """
    if content_type == "application/json":
        return
    essence = (content_type or "").partition(";")[0].strip().lower()
    if essence != "application/json" and not (
        essence.startswith("application/") and essence.endswith("+json")
    ):
        raise WebhookRefused(
            415, "Unsupported media type", "choose application/json as the content type of the app's webhooks"
        )


def _decode(raw: bytes, depth: int) -> Any:
    try:
        text = raw.decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise WebhookRefused(400, "Not JSON", f"byte {error.start} is not UTF-8") from None
    # Brackets within strings are counted too: an upper limit that is nearly always enough.
    if raw.count(b"[") + raw.count(b"{") > depth and _nesting(raw) > depth:
        raise WebhookRefused(400, "Not JSON", f"the body is nested more than {depth} deep")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        detail = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise WebhookRefused(400, "Not JSON", detail) from None
    except ValueError as error:
        # Either NaN, or an integer longer than Python converts.
        detail = str(error) if isinstance(error, _NotANumber) else "a number is too long"
        raise WebhookRefused(400, "Not JSON", detail) from None


def _nesting(raw: bytes) -> int:
    deepest = level = 0
    for byte in _STRING.sub(b"", raw):
        if byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


class _NotANumber(ValueError):
    """NaN and the infinities, which are no JSON, but which Python's decoder accepts."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NotANumber(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


class _Invalid(ValueError):
    """What is wrong with a member; the message continues its name. ``rest`` is what can be read of it."""

    def __init__(self, problem: str, rest: Any = None) -> None:
        self.rest = rest
        super().__init__(problem)


def _number(value: Any) -> int:
    """Read an id that is an integer, or the text of one."""
    found = legacy_id(value)
    if found is None:
        raise _Invalid("is not an integer between 0 and 2^63 - 1")
    return found


def _numbers(value: Any) -> tuple[int, ...]:
    """Read one integer id or an array of them, nulls in it ignored."""
    if not isinstance(value, list):
        return (_number(value),)
    read = [legacy_id(each) for each in value if each is not None]
    found = tuple(dict.fromkeys(each for each in read if each is not None))
    if None in read:
        raise _Invalid("holds what is not an integer between 0 and 2^63 - 1", found)
    return found


def _text(value: Any) -> str:
    """Read a short printable text."""
    if not isinstance(value, str):
        raise _Invalid("is not a string")
    if not value.strip() or len(value) > _LONGEST_ID:
        raise _Invalid(f"is not 1 to {_LONGEST_ID} characters long")
    if not value.isprintable():  # NUL, control characters and lone surrogates are not
        raise _Invalid("holds characters that cannot be printed")
    return value


def _id(value: Any) -> str:
    """Read an id that is a text, or an integer in deprecated events. UUIDs come out in lower case."""
    if type(value) in {int, float}:
        return str(_number(value))
    text = _text(value)
    return text.lower() if len(text) == _UUID_LENGTH else text


def _date(value: Any) -> datetime | None:
    """Read a date. One in an unknown format is None: it is no reason to refuse an event."""
    if not isinstance(value, str):
        raise _Invalid("is not a string")
    return moment(value)


_READERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("eventId", _text),
    ("eventType", _text),
    ("platform", _text),
    ("clientId", _number),
    ("projectId", _number),
    ("websiteId", _number),
    ("conversationId", _id),
    ("operatorIds", _numbers),
    ("operatorId", _numbers),
    ("visitorId", _id),
    ("channel", _text),
    ("createdAt", _date),
)
_REQUIRED = ("eventId", "eventType", "platform")
_NEEDED = (*_REQUIRED, "clientId", "conversationId")
"""What says which conversation an event is about. iAdvize is asked for the rest, which can be left out."""


def _members(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the members an event is made of, read, and what is wrong with those that were left out.

    Absent and null ones are not there, and optional ones that are empty.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    left_out: list[str] = []
    for name, read in _READERS:
        value = document.get(name)
        if value is not None and (value != "" or name in _REQUIRED):
            try:
                found[name] = read(value)
            except _Invalid as error:
                (problems if name in _NEEDED else left_out).append(f"/{name} {error}")
                if error.rest is not None:
                    found[name] = error.rest
        elif name in _REQUIRED:
            problems.append(f"/{name} is missing")
    if problems:
        raise WebhookRefused(422, "Not an event", "; ".join(problems))
    return found, left_out
