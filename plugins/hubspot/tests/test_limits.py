"""Keeping clear of the limits, by what the headers say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatferry import QuotaExhausted, RateLimited
from chatferry.http.answer import HttpAnswer
from chatferry_hubspot.limits import RateLimitPace, end_of_day


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds

    def pace(self, time_zone: str | None = None) -> RateLimitPace:
        start = datetime(2026, 11, 22, 20, tzinfo=UTC)
        return RateLimitPace(
            time_zone,
            clock=lambda: self.passed,
            sleep=self.sleep,
            now=lambda: start + timedelta(seconds=self.passed),
        )


def headers(left: int, daily: int = 1000) -> HttpAnswer:
    found = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": str(left),
        "x-hubspot-ratelimit-interval-milliseconds": "10000",
        "X-HubSpot-RateLimit-Daily-Remaining": str(daily),
    }
    return HttpAnswer(status=200, headers=found)


def test_with_enough_calls_left_nothing_waits():
    time = Time()
    pace = time.pace()
    pace.after(headers(150))
    pace.before()
    assert time.slept == []


def test_the_last_calls_of_a_window_are_spread_over_it():
    time = Time()
    pace = time.pace()
    for left in range(18, 9, -1):
        pace.after(headers(left))
        pace.before()
    assert time.slept == sorted(time.slept)
    assert time.passed > 5


def test_a_wait_of_seconds_is_left_to_the_engine():
    time = Time()
    pace = time.pace()
    pace.after(headers(0))
    with pytest.raises(RateLimited) as caught:
        pace.before()
    assert caught.value.retry_after == 10
    time.sleep(10)
    pace.before()


def test_a_day_that_is_used_up_stops_calls_until_midnight_of_the_account():
    time = Time()
    pace = time.pace("Europe/Paris")
    pace.after(headers(100, daily=0))
    with pytest.raises(QuotaExhausted) as caught:
        pace.before()
    assert caught.value.until == datetime(2026, 11, 22, 23, tzinfo=UTC)
    time.sleep(3 * 3600)
    pace.before()


def test_a_check_asks_again_whatever_was_said():
    pace = Time().pace()
    pace.after(headers(0, daily=0))
    pace.forget()
    pace.before()


def test_answers_without_headers_change_nothing():
    time = Time()
    pace = time.pace()
    pace.after(HttpAnswer(status=200, headers={"X-HubSpot-RateLimit-Remaining": "many"}))
    pace.before()
    assert time.slept == []


def test_midnight_is_the_accounts_also_when_the_clocks_change():
    now = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert end_of_day("Europe/Paris", now) == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert end_of_day("Europe/Paris", now + timedelta(days=1)) == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert end_of_day(None, now) == now + timedelta(hours=1)


def test_a_burst_never_hits_the_limit_of_a_busy_account(start, lead, deliver):
    """20 calls in 10 s are allowed; the connector asks the engine to wait before a 429 comes."""
    account = start(burst=20)
    connector = account.connect()
    kinds = [type(deliver(connector, lead(n))[0]).__name__ for n in range(12)]
    assert "RateLimited" in kinds
    assert "429" not in account.call("GET", "/_emulator/calls")["statuses"]
