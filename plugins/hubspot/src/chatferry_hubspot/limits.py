"""HubSpot's rate limits, per second, ten seconds and day: what a 429 means, and how to avoid it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chatferry import DeliveryError, QuotaExhausted, RateLimited
from chatferry_hubspot.answers import Complaint, ErrorDetails, HttpAnswer

BURST_WAIT = 10.0
SECONDLY_WAIT = 1.0
SHORT_WAIT = 1.0
UNKNOWN_DAY = timedelta(hours=1)
"""How long a used-up day is left alone where the account's midnight is not known."""
TIGHT = 0.1
"""Below this share of the ten-second allowance calls are spread out."""


def end_of_day(time_zone: str | None, now: datetime) -> datetime:
    """Return the account's next midnight, or an hour from ``now`` where its time zone is unknown."""
    if time_zone is None:
        return now + UNKNOWN_DAY
    local = now.astimezone(ZoneInfo(time_zone))
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), local.tzinfo)
    return midnight.astimezone(UTC)


def limit_error(
    answer: HttpAnswer, complaint: Complaint, time_zone: str | None, now: datetime
) -> DeliveryError:
    """Return what a 429 means: a used-up day parks, the others ask for a slower pace."""
    policy = complaint.policy or "an unnamed limit"
    details: ErrorDetails = {**complaint.details, "code": complaint.policy or None}
    if complaint.policy == "DAILY":
        return QuotaExhausted(
            "HubSpot's daily limit of the account is used up (429 DAILY)",
            until=end_of_day(time_zone, now),
            **details,
        )
    wait = answer.retry_after
    if wait is None:
        wait = SECONDLY_WAIT if complaint.policy == "SECONDLY" else BURST_WAIT
    return RateLimited(f"HubSpot asks for a slower pace (429 {policy})", retry_after=wait, **details)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    found = {key.lower(): value for key, value in headers.items()}.get(f"x-hubspot-ratelimit-{name}", "")
    try:
        return float(found)
    except ValueError:
        return None


class RateLimitPace:
    """Keeps the next call clear of the limits, from what the last answer's headers said.

    The allowance is shared with everything else that uses the same key, so the calls that are
    left are spread over the window instead of being spent at once.
    """

    def __init__(
        self,
        time_zone: str | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._time_zone = time_zone
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
        :raises QuotaExhausted: if the last answer said that the day is used up.
        """
        if self._closed_until is not None and self._now() < self._closed_until:
            raise QuotaExhausted(
                "HubSpot's daily limit of the account is used up (no call left by its headers)",
                until=self._closed_until,
                code="DAILY",
            )
        wait = self._next - self._clock()
        if wait > longest:
            raise RateLimited("HubSpot's ten-second limit is nearly used up", retry_after=wait)
        if wait > 0:
            self._sleep(wait)

    def after(self, headers: Mapping[str, str]) -> None:
        """Take note of an answer's headers; an answer without them changes nothing."""
        most, left = _number(headers, "max"), _number(headers, "remaining")
        interval = (_number(headers, "interval-milliseconds") or BURST_WAIT * 1000) / 1000
        if most and left is not None:
            tight = left < max(1.0, most * TIGHT)
            self._next = self._clock() + interval / (left + 1) if tight else 0.0
        daily = _number(headers, "daily-remaining")
        if daily is not None:
            used_up = daily <= 0
            self._closed_until = end_of_day(self._time_zone, self._now()) if used_up else None

    def forget(self) -> None:
        """Let the next call through, whatever was said: only a call can tell that a limit is over."""
        self._next = 0.0
        self._closed_until = None
