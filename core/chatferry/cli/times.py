"""Times on the command line: given as ``2d`` (ago) or as a date, shown in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import click

from chatferry.settings.fields import duration

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


class Moment(click.ParamType[Any]):
    """A time: ``2d`` or ``45m`` ago, ``2026-11-01``, ``2026-11-01T12:00+01:00``; UTC if it does not say."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds since 1970."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        if text.lower() == "now":
            return time.time()
        try:
            return _date(text)
        except ValueError:
            pass
        try:
            # A bare number would be seconds, and is more likely a date without its dashes.
            return time.time() - duration("" if text.isdigit() else text)
        except ValueError:
            self.fail(f'"{text}" is not a time; write 2d (ago), 2026-11-01 or 2026-11-01T12:00', param, ctx)


class Duration(click.ParamType[Any]):
    """Seconds, or ``80ms``, ``30s``, ``5m``, ``2h``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        try:
            return duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def iso(at: float | None) -> str | None:
    """Return a time for programs, in ISO 8601; None for none."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def shown(at: float | None) -> str:
    """Return a time for people; nothing for none."""
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def age(at: float | None, now: float) -> str:
    """Return how long ago, or in how long; nothing for none."""
    if at is None:
        return ""
    return f"{span(now - at)} ago" if at <= now else f"in {span(at - now)}"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    left = round(seconds)
    parts = []
    for size, unit in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2]) or f"{left} s"


def _date(text: str) -> float:
    if text.isdigit():
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
