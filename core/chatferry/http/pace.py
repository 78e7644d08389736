"""Keeping clear of a CRM's limits, from what its last answers said of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from chatferry.errors import QuotaExhausted, RateLimited
from chatferry.http.answer import HttpAnswer

SHORT_WAIT: Final = 1.0
"""Seconds that are waited for here; the engine waits better, and survives a restart."""
TIGHT: Final = 0.1
"""Below this share of an allowance calls are spread out."""


class Pace:
    """When the next call may be sent. Subclass it and read the CRM's headers in :meth:`after`.

    An allowance is usually shared with everything else that uses the same key, so the calls that are left are
    spread over the time they have to last, instead of being spent at once.
    """

    def __init__(
        self,
        crm: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._crm = crm
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._next = 0.0
        self._closed_until: datetime | None = None

    def now(self) -> datetime:
        """Return the time of day the limits are reckoned by."""
        return self._now()

    def before(self, *, longest: float = SHORT_WAIT) -> None:
        """Wait until a call is safe, if that is a matter of a second: the engine waits better.

        :raises RateLimited: if it is more than ``longest`` seconds away.
        :raises QuotaExhausted: if the last answer said that the allowance is used up.
        """
        if self._closed_until is not None and self._now() < self._closed_until:
            raise QuotaExhausted(
                f"the calls that {self._crm} allows are used up (by its headers)",
                until=self._closed_until,
                code="DAILY",
            )
        wait = self._next - self._clock()
        if wait > longest:
            raise RateLimited(f"the calls that {self._crm} allows now are nearly used up", retry_after=wait)
        if wait > 0:
            self._sleep(wait)

    def after(self, answer: HttpAnswer) -> None:
        """Take note of an answer's headers; an answer without them changes nothing."""

    def spread(self, *, left: float, most: float, seconds: float, tight: float = TIGHT) -> None:
        """Spread the calls that are ``left`` of ``most`` over ``seconds``, once they are few."""
        slow = left < max(1.0, most * tight)
        self._next = self._clock() + seconds / (left + 1) if slow else 0.0

    def close(self, until: datetime | None) -> None:
        """Let no call be sent before ``until``; None lets them through again."""
        self._closed_until = until

    def forget(self) -> None:
        """Let the next call through, whatever was said: only a call can tell that a limit is over."""
        self._next = 0.0
        self._closed_until = None
