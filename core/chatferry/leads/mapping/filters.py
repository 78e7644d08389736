"""The filters of field expressions. Each leaves an empty value empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Undefined

from chatferry.leads.mapping.empty import EMPTY

Filter = Callable[..., Any]

_NUMBER = re.compile(r"[-+]?[0-9][0-9 .,'\u00a0\u202f]*")


def _empty(value: Any) -> bool:
    return value is None or isinstance(value, Undefined) or (isinstance(value, str) and not value.strip())


def _skip_empty(function: Filter) -> Filter:
    @wraps(function)
    def filtered(value: Any, *args: Any, **kwargs: Any) -> Any:
        return EMPTY if _empty(value) else function(value, *args, **kwargs)

    return filtered


def default(value: Any, other: Any = "") -> Any:
    """Return ``other`` where the value is empty; 0 and false are values."""
    return other if _empty(value) else value


def date(value: datetime | str, form: str = "%Y-%m-%d", zone: str = "UTC") -> str:
    """Format a point in time, or one written in ISO 8601, as strftime does, in a time zone."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    # UTC needs no time zone database, which small systems lack.
    there = UTC if zone == "UTC" else ZoneInfo(zone)
    return (at.astimezone(there) if at.tzinfo else at).strftime(form)


def number(value: float | str) -> Any:
    """Return the first number of a text, "around 12 500,50 €" for instance; empty if there is none.

    The last of ``.`` and ``,`` is the decimal sign, unless three digits follow it.
    """
    if isinstance(value, (int, float)):
        return value
    found = _NUMBER.search(str(value))
    if not found:
        return EMPTY
    digits = re.sub(r"[ '\u00a0\u202f]", "", found[0]).rstrip(".,")
    whole, sign, fraction = re.fullmatch(r"(.*?)(?:([.,])([0-9]*))?", digits).groups()  # type: ignore[union-attr]  # (it matches anything)
    if sign and (len(fraction) == 3 or sign in whole):  # noqa: PLR2004  (thousands)
        whole, fraction = whole + fraction, ""
    plain = re.sub(r"[.,]", "", whole)
    return float(f"{plain}.{fraction}") if fraction else int(plain)


def join(value: Iterable[Any], separator: str = "; ") -> str:
    """Join the items of a list that are not empty."""
    items = [value] if isinstance(value, str) else value
    return separator.join(str(item) for item in items if not _empty(item))


def replace(value: Any, old: str, new: str) -> str:
    """Replace every ``old`` by ``new``."""
    return str(value).replace(old, new)


def truncate(value: Any, length: int, end: str = "…") -> str:
    """Return at most ``length`` characters, the last of them ``end`` if something is missing."""
    text = str(value)
    return text if len(text) <= length else text[: max(length - len(end), 0)].rstrip() + end[:length]


def first(value: Any) -> Any:
    """Return the first item of a list, or the first line of a text."""
    items = value.strip().splitlines() if isinstance(value, str) else list(value)
    return items[0] if items else EMPTY


def last(value: Any) -> Any:
    """Return the last item of a list, or the last line of a text."""
    items = value.strip().splitlines() if isinstance(value, str) else list(value)
    return items[-1] if items else EMPTY


def oneline(value: Any) -> str:
    """Write a text in one line."""
    return " ".join(str(value).split())


FILTERS: Mapping[str, Filter] = {
    "default": default,
    **{
        function.__name__: _skip_empty(function)
        for function in (date, first, join, last, number, oneline, replace, truncate, round)
    },
    "capitalize": _skip_empty(lambda value: str(value).capitalize()),
    "length": len,
    "lower": _skip_empty(lambda value: str(value).lower()),
    "title": _skip_empty(lambda value: str(value).title()),
    "trim": _skip_empty(lambda value: str(value).strip()),
    "upper": _skip_empty(lambda value: str(value).upper()),
}
