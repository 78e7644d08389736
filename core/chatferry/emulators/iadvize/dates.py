"""Instants as iAdvize writes them. Inside the emulator they are seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

_PARIS = timezone(timedelta(hours=2))


def write(instant: float, style: str = "Z") -> str:
    """Write an instant: ``Z``, ``+02:00``, or ``Z[Etc/UTC]`` as Java does (all three are seen)."""
    if style == "+02:00":
        return datetime.fromtimestamp(instant, _PARIS).isoformat(timespec="seconds")
    text = datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", style)


def read(text: str) -> float:
    """Read an ISO 8601 instant; without a zone it is UTC.

    :raises ValueError: if it is none.
    """
    moment = datetime.fromisoformat(text.partition("[")[0])
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def as_datetime(instant: float) -> datetime:
    """Return an aware datetime, to the millisecond like everything iAdvize writes."""
    return datetime.fromtimestamp(round(instant, 3), UTC)


def write_duration(seconds: float) -> str:
    """Write a duration as ISO 8601 does: ``PT83.5S``."""
    return f"PT{seconds:.3f}".rstrip("0").rstrip(".") + "S"
