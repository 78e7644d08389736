"""Rate limits: the three policies, their headers, and the clock that moves them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN

PATH = "/crm/objects/2026-09/contacts"


def statuses(hubspot, times, path=PATH):
    return [hubspot.get(path).status_code for _ in range(times)]


def settings(hubspot, **changes):
    hubspot.post("/_emulator/clock", {"freeze": True})
    assert hubspot.post("/_emulator/settings", changes).status_code == 200


@pytest.mark.parametrize(
    ("limit", "policy", "wait"),
    [("burst", "TEN_SECONDLY_ROLLING", 10), ("secondly", "SECONDLY", 1), ("daily", "DAILY", 86_400)],
)
def test_a_limit_refuses_by_its_policy_until_it_is_over(hubspot, limit, policy, wait):
    settings(hubspot, **{limit: 2})

    assert statuses(hubspot, 2) == [200, 200]
    answer = hubspot.get(PATH)
    assert answer.status_code == 429
    assert answer.json()["errorType"] == "RATE_LIMIT"
    assert answer.json()["policyName"] == policy
    assert "Retry-After" not in answer.headers
    assert answer.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    hubspot.advance(wait)
    assert statuses(hubspot, 1) == [200]


def test_the_burst_window_rolls(hubspot):
    settings(hubspot, burst=2)

    statuses(hubspot, 1)
    hubspot.advance(6)
    statuses(hubspot, 1)
    hubspot.advance(5)

    assert statuses(hubspot, 2) == [200, 429]


def test_a_refused_call_costs_nothing(hubspot):
    settings(hubspot, burst=1)

    assert statuses(hubspot, 3) == [200, 429, 429]
    assert hubspot.get("/crm/limits/2026-09/records").status_code == 429
    hubspot.advance(10)
    assert statuses(hubspot, 1) == [200]


def test_the_headers_count_down(hubspot):
    settings(hubspot, burst=10, daily=100)

    first, second = hubspot.get(PATH).headers, hubspot.get(PATH).headers

    assert first["X-HubSpot-RateLimit-Max"] == "10"
    assert first["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert first["X-HubSpot-RateLimit-Daily"] == "100"
    remaining = [one["X-HubSpot-RateLimit-Remaining"] for one in (first, second)]
    daily = [one["X-HubSpot-RateLimit-Daily-Remaining"] for one in (first, second)]
    assert (remaining, daily) == (["9", "8"], ["99", "98"])


@pytest.mark.parametrize(("plan", "burst", "daily"), [("free", 100, 250_000), ("enterprise", 190, 1_000_000)])
def test_each_plan_has_its_limits(start, plan, burst, daily):
    headers = start(plan=plan).get(PATH).headers

    assert headers["X-HubSpot-RateLimit-Max"] == str(burst)
    assert headers["X-HubSpot-RateLimit-Daily"] == str(daily)


def test_oauth_apps_have_110_calls_and_no_daily_headers(hubspot):
    form = {
        "grant_type": "refresh_token",
        "client_id": "client-emulator",
        "client_secret": HUBSPOT_CLIENT_SECRET,
        "refresh_token": HUBSPOT_REFRESH_TOKEN,
    }
    hubspot.token = hubspot.call("POST", "/oauth/2026-09/token", data=form).json()["access_token"]

    headers = hubspot.get(PATH).headers

    assert headers["X-HubSpot-RateLimit-Max"] == "110"
    assert "X-HubSpot-RateLimit-Daily" not in headers


def test_each_token_has_its_own_burst_and_all_share_the_day(hubspot):
    settings(hubspot, burst=1, daily=2)
    hubspot.post("/_emulator/tokens", {"token": "pat-other"})

    assert statuses(hubspot, 2) == [200, 429]
    hubspot.token = "pat-other"
    assert statuses(hubspot, 1) == [200]
    hubspot.advance(10)
    assert hubspot.get(PATH).json()["policyName"] == "DAILY"


def test_the_day_ends_at_midnight_of_the_account(start):
    hubspot = start(daily=1, time_zone="America/New_York")
    hubspot.post("/_emulator/clock", {"freeze": True})

    now = datetime.fromisoformat(hubspot.get("/_emulator/clock").json()["now"])
    here = now.astimezone(ZoneInfo("America/New_York"))
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), here.tzinfo)

    assert statuses(hubspot, 2) == [200, 429]
    hubspot.advance((midnight - now).total_seconds() - 1)
    assert statuses(hubspot, 1) == [429]
    hubspot.advance(1)
    assert statuses(hubspot, 1) == [200]


def test_search_has_five_calls_a_second_and_no_headers(hubspot):
    settings(hubspot)

    answers = [hubspot.objects("contacts/search", {}) for _ in range(6)]

    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert not [name for one in answers for name in one.headers if name.startswith("X-HubSpot-RateLimit")]


def test_latency_is_added_to_every_call(start):
    hubspot = start(latency=0.05)

    hubspot.get(PATH)

    assert hubspot.calls()["last"][0]["milliseconds"] >= 50
