"""HubSpot's rate limits, per second, ten seconds and day: what a 429 means, and how to avoid it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chatferry import DeliveryError, QuotaExhausted, RateLimited
from chatferry.http.answer import HttpAnswer
from chatferry.http.outcomes import ErrorDetails
from chatferry.http.pace import Pace
from chatferry_hubspot.answers import HubSpotComplaint

BURST_WAIT = 10.0
SECONDLY_WAIT = 1.0
UNKNOWN_DAY = timedelta(hours=1)
"""How long a used-up day is left alone where the account's midnight is not known."""


def end_of_day(time_zone: str | None, now: datetime) -> datetime:
    """Return the account's next midnight, or an hour from ``now`` where its time zone is unknown."""
    if time_zone is None:
        return now + UNKNOWN_DAY
    local = now.astimezone(ZoneInfo(time_zone))
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), local.tzinfo)
    return midnight.astimezone(UTC)


class RateLimitPace(Pace):
    """Keeps the next call clear of the limits, and knows when a used-up day ends."""

    def __init__(self, time_zone: str | None = None, **times: Any) -> None:
        super().__init__("HubSpot", **times)
        self._time_zone = time_zone

    def after(self, answer: HttpAnswer) -> None:
        """Take note of an answer's headers; an answer without them changes nothing."""
        most, left = _number(answer, "Max"), _number(answer, "Remaining")
        interval = _number(answer, "Interval-Milliseconds") or BURST_WAIT * 1000
        if most and left is not None:
            self.spread(left=left, most=most, seconds=interval / 1000)
        daily = _number(answer, "Daily-Remaining")
        if daily is not None:
            self.close(end_of_day(self._time_zone, self.now()) if daily <= 0 else None)

    def error(self, complaint: HubSpotComplaint) -> DeliveryError:
        """Return what a 429 means: a used-up day parks, the others ask for a slower pace."""
        details: ErrorDetails = {**complaint.details, "code": complaint.policy or None}
        if complaint.policy == "DAILY":
            return QuotaExhausted(
                "HubSpot's daily limit of the account is used up (429 DAILY)",
                until=end_of_day(self._time_zone, self.now()),
                **details,
            )
        wait = complaint.retry_after
        if wait is None:
            wait = SECONDLY_WAIT if complaint.policy == "SECONDLY" else BURST_WAIT
        policy = complaint.policy or "an unnamed limit"
        return RateLimited(f"HubSpot asks for a slower pace (429 {policy})", retry_after=wait, **details)


def _number(answer: HttpAnswer, name: str) -> float | None:
    try:
        return float(answer.header(f"X-HubSpot-RateLimit-{name}") or "")
    except ValueError:
        return None
