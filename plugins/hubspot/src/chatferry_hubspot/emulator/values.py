"""Validate and normalise property values. Every value is sent as a string."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time

from chatferry_hubspot.emulator.clock import iso_utc
from chatferry_hubspot.emulator.errors import Problem
from chatferry_hubspot.emulator.properties import Property

TEXT_LIMIT = 65_536
_EMAIL = re.compile(r"[^@\s<>\"(),:;\\]{1,64}@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?")
_MILLISECONDS = re.compile(r"-?\d{1,15}")


def normalise(definition: Property, value: str) -> str | Problem:
    """Return the value as it is stored, or what is wrong with it; ``""`` clears any property."""
    if not value:
        return ""
    check = _email if definition.name == "email" else _CHECKS.get(definition.type, _text)
    return check(definition, value)


def _email(definition: Property, value: str) -> str | Problem:
    email = value.strip().lower()
    if _EMAIL.fullmatch(email):
        return email
    message = f"Email address {value} is invalid"
    return Problem(name=definition.name, code="INVALID_EMAIL", message=message)


def _enumeration(definition: Property, value: str) -> str | Problem:
    options = [option["value"] for option in definition.options]
    chosen = value.strip(";").split(";") if definition.field_type == "checkbox" else [value]
    for one in chosen:
        if one not in options:
            message = f"{one} was not one of the allowed options: [{', '.join(options)}]"
            return Problem(name=definition.name, code="INVALID_OPTION", message=message)
    return value


def _number(definition: Property, value: str) -> str | Problem:
    return value if _NUMBER.fullmatch(value) else _refuse(definition, "INVALID_INTEGER", "number")


def _boolean(definition: Property, value: str) -> str | Problem:
    if value.lower() in {"true", "false"}:
        return value.lower()
    message = f"{value} was not one of the allowed options: [true, false]"
    return Problem(name=definition.name, code="INVALID_OPTION", message=message)


def _moment(definition: Property, value: str) -> str | Problem:
    """Accept ISO 8601 or milliseconds; a moment without an offset is UTC, a date is midnight in UTC."""
    try:
        if _MILLISECONDS.fullmatch(value):
            moment = datetime.fromtimestamp(int(value) / 1000, UTC)
        else:
            moment = datetime.fromisoformat(value)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return _refuse(definition, "INVALID_DATE", definition.type)
    if definition.type == "date":
        midnight = moment.time() == time()
        return moment.date().isoformat() if midnight else _refuse(definition, "INVALID_DATE", "date")
    return iso_utc(moment).replace(".000Z", "Z")


def _text(definition: Property, value: str) -> str | Problem:
    if len(value) <= TEXT_LIMIT:
        return value
    message = f"{definition.name} has {len(value)} characters; at most {TEXT_LIMIT} are allowed"
    return Problem(name=definition.name, code="PROPERTY_VALUE_TOO_LONG", message=message)


def _refuse(definition: Property, code: str, kind: str) -> Problem:
    return Problem(name=definition.name, code=code, message=f"{definition.name} was not a valid {kind}")


_CHECKS: Mapping[str, Callable[[Property, str], str | Problem]] = {
    "enumeration": _enumeration,
    "bool": _boolean,
    "number": _number,
    "date": _moment,
    "datetime": _moment,
}
