"""Values as an org takes them: trimmed, of the right type, not too long, among the options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from chatferry_salesforce.emulator.errors import RecordError, Unreadable
from chatferry_salesforce.emulator.fields import Field
from chatferry_salesforce.emulator.ids import whole_id

_EMAIL: Final = re.compile(r"^[A-Za-z0-9._%+'/=?^{|}~!#$&*-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$")
_TEXTS: Final = {"string", "textarea", "email", "phone", "url", "picklist"}


def accept(one: Field, value: Any, *, newline_units: int = 1) -> Any:
    """Return a value as the org keeps it, None for an empty one.

    :raises RecordError: if the field does not take it.
    """
    if value is None:
        return None
    if one.type in _TEXTS:
        return _text(one, value, newline_units)
    return _READERS[one.type](one, value)


def units(text: str, newline_units: int = 1) -> int:
    """Return the length of a text in UTF-16 units."""
    length = len(text.encode("utf-16-le", "replace")) // 2
    return length + text.count("\n") * (newline_units - 1)


def moment(seconds: float) -> str:
    """Return a moment as Salesforce writes it; whole seconds are kept."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _text(one: Field, value: Any, newline_units: int) -> str | None:
    if not isinstance(value, str):
        raise Unreadable(f"Cannot deserialize instance of string from value of {one.name}")
    text = value.strip()
    if not text:
        return None
    label = one.name.removesuffix("__c").replace("_", " ")
    if one.type == "email" and not _EMAIL.match(text):
        message = f"{label}: invalid email address: {text}"
        raise RecordError("INVALID_EMAIL_ADDRESS", message, [one.name])
    if one.restricted and text not in one.values:
        raise RecordError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{label}: bad value for restricted picklist field: {text}",
            [one.name],
        )
    if units(text, newline_units) > one.length:
        message = f"{label}: data value too large: {text[:255]} (max length={one.length})"
        raise RecordError("STRING_TOO_LONG", message, [one.name])
    return text


def _boolean(one: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unreadable(f"Cannot deserialize instance of boolean from value of {one.name}")
    return value


def _double(one: Field, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"Cannot deserialize instance of double from value of {one.name}")
    return value


def _datetime(one: Field, value: Any) -> str:
    try:
        read = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Unreadable(f"Cannot deserialize instance of datetime from value of {one.name}") from None
    return moment((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


def _date(one: Field, value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Unreadable(f"Cannot deserialize instance of date from value of {one.name}") from None


def _reference(one: Field, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", value):
        raise RecordError("MALFORMED_ID", f"{one.name}: id value of incorrect type: {value}", [one.name])
    return whole_id(value)


_READERS: Mapping[str, Callable[[Field, Any], Any]] = {
    "boolean": _boolean,
    "double": _double,
    "datetime": _datetime,
    "date": _date,
    "reference": _reference,
    "id": _reference,
}
