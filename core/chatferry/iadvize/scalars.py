"""iAdvize's formats of dates, durations and ids."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

LARGEST_ID = 2**63 - 1
_LARGEST_EXACT = 2.0**53

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DURATION = re.compile(
    r"P(?:(?P<weeks>[\d.]+)W)?(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)
_SECONDS = {"weeks": 604_800.0, "days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0}
_DIGITS = 19


def moment(value: Any) -> datetime | None:
    """Return a date in UTC, or None if ``value`` is none.

    A Java zone in brackets (``...Z[Etc/UTC]``) is ignored; without an offset UTC is meant.
    """
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        bare, bracket, _ = value.partition("[")
        return moment(bare.strip()) if bracket else None
    zone = found.tzinfo
    if zone is UTC:
        return found
    try:
        return found.replace(tzinfo=UTC) if zone is None else found.astimezone(UTC)
    except OverflowError:
        return None


def is_uuid(text: str) -> bool:
    """Whether a text is an id that queries take; deprecated events name conversations otherwise."""
    return _UUID.fullmatch(text) is not None


def legacy_id(value: Any) -> int | None:
    """Return an id that iAdvize writes as ``335``, ``"335"`` or ``"ha-335"``, or None if it is none.

    JSON does not tell 335.0 from 335, so neither do we, as far as such numbers are exact.
    """
    if isinstance(value, str):
        platform, _, digits = value.rpartition("-")
        if "-" in value and not platform.isalpha():  # a sign is no platform
            return None
        if not digits.isascii() or not digits.isdigit() or len(digits) > _DIGITS:
            return None
        value = int(digits)
    if isinstance(value, float) and value.is_integer() and value <= _LARGEST_EXACT:
        value = int(value)
    if type(value) is int and 0 <= value <= LARGEST_ID:
        return value
    return None


def seconds(value: Any) -> float | None:
    """Return an ISO 8601 duration (``PT5M3S``) in seconds, or None if ``value`` is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if 0 <= value < LARGEST_ID else None
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        parts = [_SECONDS[unit] * float(number) for unit, number in match.groupdict().items() if number]
    except ValueError:
        return None
    return sum(parts) if parts else None


def score(value: Any, least: int, most: int) -> int | None:
    """Return a whole number in a range, None for anything else."""
    return value if type(value) is int and least <= value <= most else None


def amount(value: Any, most: float = LARGEST_ID) -> float | None:
    """Return a number whose size is plausible, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= most:
        return None
    return float(value)
