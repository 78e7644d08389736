"""The filters of field expressions. Each leaves an empty value empty."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Undefined

from chatferry.leads.mapping.bounds import check_join, check_replace, require
from chatferry.leads.mapping.empty import EMPTY

Filter = Callable[..., Any]

_NUMBER = re.compile(
    r"(?P<sign>[-+]?)"
    r"(?:(?P<grouped>[1-9][0-9]{0,2}(?P<mark>[ .,'])[0-9]{3}(?:(?P=mark)[0-9]{3})*)(?![0-9])"
    r"(?:(?!(?P=mark))[.,](?P<decimals>[0-9]+))?"
    r"|(?P<plain>[0-9]+)(?:[.,](?P<fraction>[0-9]+))?)"
)
_SIGNS = str.maketrans({"\u2212": "-", "\u2019": "'"})
_LARGEST = 2**63
_DIGITS = 19
_LARGEST_ROUND = 30


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

    ``.`` and ``,`` group thousands where three digits follow them, unless the number begins with 0;
    elsewhere they are decimal signs. A number that no CRM can hold (2^63 and more) is none.
    """
    if isinstance(value, (int, float)):
        return value
    found = _NUMBER.search(unicodedata.normalize("NFKC", str(value)).translate(_SIGNS))
    if not found:
        return EMPTY
    whole = found["sign"] + re.sub(r"[ .,']", "", found["grouped"] or found["plain"])
    fraction = found["decimals"] or found["fraction"]
    if len(whole) > _DIGITS + 1 or abs(int(whole)) >= _LARGEST:
        return EMPTY
    return float(f"{whole}.{fraction}") if fraction else int(whole)


def rounded(value: Any, digits: int = 0) -> Any:
    """Return a number rounded to so many digits behind the point."""
    require(abs(digits), _LARGEST_ROUND)
    return round(value, digits) if digits else round(value)


def join(value: Iterable[Any], separator: str = "; ") -> str:
    """Join the items of a list that are not empty."""
    items = [item for item in ([value] if isinstance(value, str) else value) if not _empty(item)]
    check_join(separator, items)
    return separator.join(map(str, items))


def replace(value: Any, old: str, new: str) -> str:
    """Replace every ``old`` by ``new``."""
    check_replace(str(value), old, new)
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
        for function in (date, first, join, last, number, oneline, replace, truncate)
    },
    "round": _skip_empty(rounded),
    "capitalize": _skip_empty(lambda value: str(value).capitalize()),
    "length": len,
    "lower": _skip_empty(lambda value: str(value).lower()),
    "title": _skip_empty(lambda value: str(value).title()),
    "trim": _skip_empty(lambda value: str(value).strip()),
    "upper": _skip_empty(lambda value: str(value).upper()),
}
