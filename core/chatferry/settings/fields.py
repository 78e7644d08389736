"""The marshmallow fields of the configuration. No message repeats a value: it may be a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Any, Protocol, runtime_checkable

from marshmallow import ValidationError, fields, validate

from chatferry.settings.urls import may_carry_secrets

UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Seconds in each unit a duration may be written with."""

_LONGEST = 10**9  # 31 years: what timers and dates can still count with
_DURATION = re.compile(r"(?:\d{1,12}(?:\.\d{1,6})?\s*(?:ms|[smhdw])\s*)+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])", re.ASCII)
_LARGEST = 10**18  # what a database column can hold
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_IDENTIFIER = re.compile(r"(?:[A-Za-z]{2}-)?(\d{1,18})", re.ASCII)
_TRUTHS: Mapping[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "x"?`` for the known name nearest to ``name``, or nothing."""
    by_case = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(name.casefold(), by_case, n=1)
    return f'; did you mean "{by_case[near[0]]}"?' if near else ""


@dataclass(frozen=True, slots=True)
class Read:
    """The rule that a value is read by a function, where its type alone does not say how."""

    read: Callable[[Any], Any]


@runtime_checkable
class Checked(Protocol):
    """Settings whose keys are checked against each other once each is valid by itself."""

    def check(self) -> None:
        """Raise ValidationError, with the messages by key, if they contradict each other."""


def at_least(low: float) -> validate.Range:
    """Return the rule that a number is not below ``low``."""
    return validate.Range(min=low, error=f"below {low:g}")


def between(low: float, high: float) -> validate.Range:
    """Return the rule that a number is in a range, both ends included."""
    return validate.Range(min=low, max=high, error=f"not between {low:g} and {high:g}")


class Parsed(fields.Field[Any]):
    """A field whose value goes through one function, which raises ValueError with a message."""

    def __init__(self, parse: Callable[[Any], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002  (marshmallow's signature)
        try:
            return self.parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def duration(value: Any) -> float:
    """Read seconds, or a string such as ``"30s"``, ``"5m"``, ``"1h 30m"``, ``"3d"``."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LONGEST:
        return float(value)
    if isinstance(value, str):
        text = value.strip()
        seconds = float("nan")
        if _NUMBER.fullmatch(text):
            seconds = float(text)
        elif _DURATION.fullmatch(text):
            seconds = sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))
        if seconds <= _LONGEST:
            return seconds
    raise ValueError('not a duration; write seconds, or a string such as "30s", "5m", "2h", "3d"')


def integer(value: Any) -> int:
    """Read a whole number."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    raise ValueError("not a whole number")


def identifier(value: Any) -> int:
    """Read an iAdvize id: a number, or a number behind its platform as in ``"ha-456678"``."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST:
        return value
    if isinstance(value, str) and (found := _IDENTIFIER.fullmatch(value.strip())):
        return int(found[1])
    raise ValueError('not an iAdvize id; write a number, or one with its platform as in "ha-456678"')


def boolean(value: Any) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _TRUTHS:
        return _TRUTHS[value.strip().lower()]
    raise ValueError("not true or false")


def text(value: Any) -> str:
    """Read a text that is not empty."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ValueError("not a text, or an empty one")


PLATFORMS = ("ha", "sd")
"""iAdvize's platforms, by their short names."""


def api_url(value: Any) -> str:
    """Read the address of an API: passwords travel there, so http goes no further than the loopback."""
    address = http_url(value)
    if not may_carry_secrets(address):
        raise ValueError("https:// is required, except on the loopback")
    return address


def platform(value: Any) -> str:
    """Read a platform's short name, such as ``ha`` or ``sd``, in any case."""
    if isinstance(value, str) and value.strip().lower() in PLATFORMS:
        return value.strip().lower()
    raise ValueError('not a platform; iAdvize has "ha" and "sd"')


def http_url(value: Any) -> str:
    """Read an http or https address; a slash at its end is dropped."""
    if isinstance(value, str) and re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value.strip()):
        return value.strip().rstrip("/")
    raise ValueError('not an address; write one such as "https://api.iadvize.com", without user or query')


def network(value: Any) -> str:
    """Read an IP address or a network of them."""
    if isinstance(value, str):
        with suppress(ValueError):
            return str(ip_network(value.strip(), strict=False))
    raise ValueError('not an IP address or a network; write one such as "127.0.0.1" or "10.0.0.0/8"')


def choice(*known: str) -> Callable[[Any], str]:
    """Return a reader of one of these words."""

    def read(value: Any) -> str:
        if value in known:
            return str(value)
        near = nearest(value, known) if isinstance(value, str) else ""
        raise ValueError(f"not one of {', '.join(known)}{near}")

    return read


class Several(fields.List[Any]):
    """A list that becomes a tuple."""

    default_error_messages = {"invalid": 'not a list; write it in brackets, such as ["a", "b"]'}  # noqa: RUF012  (marshmallow's way)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return tuple(super()._deserialize(value, attr, data, **kwargs))
