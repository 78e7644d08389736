"""When to try again. Pure functions of numbers, and the only place that holds such numbers."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime
from typing import Final

from chatferry.settings.model import LiveSettings, RetrySettings

_NOT_READY: Final = (2.0, 10.0, 60.0, 300.0, 900.0)
"""Seconds between readings of a conversation iAdvize does not show (complete) yet."""

_PROBES: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds between looks whether an iAdvize that was away answers again."""

GIVE_UP_WAITING_FOR_CLOSE: Final = 5
"""Readings after which a conversation that was announced as closed is taken as it is."""

WAITED_FOR_CLOSE: Final = sum(_NOT_READY)
"""Seconds those readings take."""

GIVEN_UP: Final = "given up: "
"""How the problem of a conversation begins that is not read again by itself."""

REFUSED: Final = "refused: "
"""How the problem of a conversation begins whose client iAdvize refuses."""

READ_BY: Final = 3600.0
"""Seconds a conversation may wait to be read before ``status`` reports it."""

PROBE_CREDENTIALS: Final = 300.0
"""Seconds between two looks at refused credentials."""

QUOTA_PAUSE: Final = 3600.0
"""Seconds a destination is paused when its CRM does not say when the quota is back."""


HUNG_BATCHES: Final = 3
"""Batches in a row that hung after which ``status`` reports it: it may not end without a restart."""

LONGEST_DELAY: Final = 86_400.0
"""The longest delay, in seconds, that a CRM or iAdvize may ask for; HubSpot documents up to 24 hours."""


def requested_delay(seconds: object) -> float:
    """Return the delay that a platform asks for, in seconds: a day at most, 0 if it is no number."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return 0.0
    capped = min(max(seconds, 0), LONGEST_DELAY)  # not a number stays what it is
    return float(capped) if seconds != math.inf and math.isfinite(capped) else 0.0


def quota_ends(until: object, now: float, retry: RetrySettings) -> float:
    """Return when a destination resumes whose quota is back at ``until``, within :data:`LONGEST_DELAY`.

    A date without a zone is of UTC; one that is past already is waited for as after a first failure.
    """
    if not isinstance(until, datetime):
        return now + QUOTA_PAUSE
    at = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return min(max(at.timestamp(), now + retry.first), now + LONGEST_DELAY)


def back_off(failures: int, retry: RetrySettings, *, at_least: float | None = None) -> float:
    """Return the seconds to wait after ``failures`` in a row: exponential, with full jitter.

    Never below ``at_least``, what the other side asked for, within :data:`LONGEST_DELAY`; never below
    ``retry.first`` either, so that jitter does not cause a burst.
    """
    ceiling = min(retry.longest, retry.first * 2 ** min(failures, 32))
    delay = random.uniform(retry.first, max(ceiling, retry.first))  # noqa: S311  (chance, not secrecy)
    return max(delay, requested_delay(at_least))


def is_given_up(failing_since: float | None, now: float, retry: RetrySettings) -> bool:
    """Whether a lead has failed for longer than it is worth."""
    return failing_since is not None and now - failing_since >= retry.give_up_after


def not_ready(attempts: int) -> float:
    """Return the seconds until a conversation that is not there yet is read again."""
    return _NOT_READY[min(attempts, len(_NOT_READY) - 1)]


def next_probe(looks: int) -> float:
    """Return the seconds until the next look at an iAdvize that is away, after so many in vain.

    A little by chance, so that the looks of several processes spread.
    """
    return _PROBES[min(looks, len(_PROBES) - 1)] * random.uniform(0.75, 1.25)  # noqa: S311  (chance, not secrecy)


def is_worn_out(attempts: int, retry: RetrySettings) -> bool:
    """Whether so many readings in a row have failed that their waits make up ``retry.give_up_after``.

    The ledger does not say since when a conversation's readings fail, only how many did: the sum of
    :func:`not_ready` tells how long that takes at least.
    """
    return attempts >= len(_NOT_READY) and waited(attempts) >= retry.give_up_after


def waited(attempts: int) -> float:
    """Return the seconds that so many readings of a conversation that is not there took."""
    return sum(_NOT_READY[:attempts]) + max(0, attempts - len(_NOT_READY)) * _NOT_READY[-1]


def counted(attempts: int, retry: RetrySettings) -> int:
    """Return how many failures in a row to remember of an iAdvize that is away.

    No more than make :func:`back_off` its longest: an outage, however long, must not look like the
    failures of one conversation, which is given up for them.
    """
    enough = math.ceil(math.log2(max(retry.longest / retry.first, 1.0)))
    return max(attempts, min(attempts + 1, enough))


def next_reading(age: float, live: LiveSettings, *, wanted: bool) -> float | None:
    """Return the seconds until a running conversation is read again; None if it is too old.

    ``wanted`` says whether a destination asks for running conversations. Where none does, the
    reading only notices a close whose webhook was lost.
    """
    if age >= live.max_age:
        return None
    return live.interval if wanted else live.idle_interval
