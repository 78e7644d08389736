"""When an e-mail address can name a person, and in which spelling."""

from __future__ import annotations

import re

_USABLE = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_LONGEST = 254


def usable_email(text: str | None) -> str | None:
    """Return an address trimmed and in lower case; None for "n/a" and other fillers.

    Agents type such fillers into profiles. As a key they would make one contact of many visitors.
    """
    if not text:
        return None
    email = text.strip().lower()
    return email if len(email) <= _LONGEST and _USABLE.fullmatch(email) else None
