"""The ``Retry-After`` header: how long a platform asks its client to wait."""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime

_LONGEST_WAIT = 86_400.0


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Return the seconds of a ``Retry-After`` header, a number or a date; a day at most, None if unreadable.

    :param now: seconds since the epoch, for a date; the present by default.
    """
    if not value:
        return None
    try:
        wait = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - (now or time.time())
    return min(max(wait, 0.0), _LONGEST_WAIT) if wait == wait else None  # noqa: PLR0124  (NaN is not itself)
