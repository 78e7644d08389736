"""Rate limits with their headers (HubSpot docs, 'API usage guidelines and limits')."""

from __future__ import annotations

import threading
from collections import deque
from datetime import tzinfo
from typing import Any

from chatferry.emulators.clock import Clock
from chatferry_hubspot.emulator.errors import ApiError
from chatferry_hubspot.emulator.keys import Key
from chatferry_hubspot.emulator.settings import OAUTH_BURST, PLANS, SEARCHES_A_SECOND, AccountSettings

BURST_SECONDS = 10.0
POLICIES = {
    "TEN_SECONDLY_ROLLING": "ten_secondly_rolling",
    "SECONDLY": "secondly",
    "DAILY": "daily",
}


def rate_limited(policy: str, headers: dict[str, str] | None = None) -> ApiError:
    """Return the 429 of a policy; it has an ``errorType``, and no category."""
    message = f"You have reached your {POLICIES[policy]} limit."
    return ApiError(429, None, message, errorType="RATE_LIMIT", policyName=policy, headers=headers)


class _Window:
    """A rolling window: counts the calls of the last ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: deque[float] = deque()

    def used(self, now: float) -> int:
        while self._calls and self._calls[0] <= now - self._seconds:
            self._calls.popleft()
        return len(self._calls)

    def add(self, now: float) -> None:
        self._calls.append(now)


class Limiter:
    """Counts calls of each key and of the account. A refused call is not counted."""

    def __init__(self, settings: AccountSettings, clock: Clock, zone: tzinfo) -> None:
        self.settings = settings
        self._clock = clock
        self._zone = zone
        self._lock = threading.Lock()
        self._bursts: dict[str, _Window] = {}
        self._seconds: dict[str, _Window] = {}
        self._searches = _Window(1.0)
        self._day = ""
        self._today = 0

    def burst_limit(self, key: Key) -> int:
        """Return how many calls a key has in 10 seconds."""
        if self.settings.burst is not None:
            return self.settings.burst
        return OAUTH_BURST if key.oauth else PLANS[self.settings.plan][0]

    @property
    def daily_limit(self) -> int:
        """Calls the account has in a day."""
        return PLANS[self.settings.plan][1] if self.settings.daily is None else self.settings.daily

    def admit(self, key: Key, *, search: bool) -> None:
        """Count a call, or refuse it.

        :raises ApiError: 429 naming the policy.
        """
        with self._lock:
            now = self._clock.now()
            burst, second = self._windows(key)
            self._start_new_day()
            if self._today >= self.daily_limit:
                raise rate_limited("DAILY")
            if burst.used(now) >= self.burst_limit(key):
                raise rate_limited("TEN_SECONDLY_ROLLING")
            secondly = self.settings.secondly
            if secondly is not None and second.used(now) >= secondly:
                raise rate_limited("SECONDLY")
            if search and self._searches.used(now) >= SEARCHES_A_SECOND:
                raise rate_limited("SECONDLY")
            for window in (burst, second, *((self._searches,) if search else ())):
                window.add(now)
            self._today += 1

    def headers(self, key: Key) -> dict[str, str]:
        """Return the headers of an answer; OAuth apps get no daily ones."""
        with self._lock:
            now, limit = self._clock.now(), self.burst_limit(key)
            self._start_new_day()
            answer = {
                "X-HubSpot-RateLimit-Max": limit,
                "X-HubSpot-RateLimit-Remaining": max(0, limit - self._windows(key)[0].used(now)),
                "X-HubSpot-RateLimit-Interval-Milliseconds": int(BURST_SECONDS * 1000),
            }
            if self.settings.secondly is not None:
                left = self.settings.secondly - self._windows(key)[1].used(now)
                answer["X-HubSpot-RateLimit-Secondly"] = self.settings.secondly
                answer["X-HubSpot-RateLimit-Secondly-Remaining"] = max(0, left)
            if not key.oauth:
                answer["X-HubSpot-RateLimit-Daily"] = self.daily_limit
                answer["X-HubSpot-RateLimit-Daily-Remaining"] = max(0, self.daily_limit - self._today)
            return {name: str(value) for name, value in answer.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the limits and what is used of the day's."""
        with self._lock:
            self._start_new_day()
            burst = PLANS[self.settings.plan][0] if self.settings.burst is None else self.settings.burst
            return {
                "burst": burst,
                "secondly": self.settings.secondly,
                "daily": self.daily_limit,
                "today": self._today,
            }

    def _windows(self, key: Key) -> tuple[_Window, _Window]:
        burst = self._bursts.setdefault(key.value if not key.oauth else "oauth", _Window(BURST_SECONDS))
        second = self._seconds.setdefault(key.value if not key.oauth else "oauth", _Window(1.0))
        return burst, second

    def _start_new_day(self) -> None:
        today = self._clock.day(self._zone)
        if today != self._day:
            self._day, self._today = today, 0
