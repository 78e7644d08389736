"""Record ids: a prefix for the object, a number, and three characters that say which letters are capitals."""

from __future__ import annotations

import string

PREFIXES = {
    "Lead": "00Q",
    "Contact": "003",
    "Account": "001",
    "Task": "00T",
    "User": "005",
    "Organization": "00D",
    "PermissionSet": "0PS",
    "PermissionSetAssignment": "0Pa",
    "RecordType": "012",
    "DeployRequest": "0Af",
}
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKS = string.ascii_uppercase + "012345"


def make_id(prefix: str, number: int) -> str:
    """Return an id of 18 characters."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    short = f"{prefix}E0{digits.rjust(10, '0')}"
    return short + _suffix(short)


def _suffix(short: str) -> str:
    groups = (short[start : start + 5] for start in range(0, 15, 5))
    return "".join(
        _CHECKS[sum(1 << place for place, letter in enumerate(group) if letter in string.ascii_uppercase)]
        for group in groups
    )


def whole_id(given: str) -> str:
    """Return an id of 18 characters for one of 15 or 18; anything else as it is."""
    return given + _suffix(given) if len(given) == 15 and given.isalnum() else given  # noqa: PLR2004  (the short form)
