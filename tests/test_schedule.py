from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatferry import schedule
from chatferry.settings.model import LiveSettings, RetrySettings

RETRY = RetrySettings(first=2.0, longest=3600.0, give_up_after=259_200.0)


@given(failures=st.integers(0, 10_000))
def test_a_wait_is_never_shorter_than_the_first_nor_longer_than_the_longest(failures):
    assert RETRY.first <= schedule.back_off(failures, RETRY) <= RETRY.longest


@given(failures=st.integers(0, 40), asked=st.floats(0, 86_400))
def test_the_later_of_our_patience_and_theirs_counts(failures, asked):
    assert schedule.back_off(failures, RETRY, at_least=asked) >= asked


def test_waits_grow_with_the_failures():
    longest = [max(schedule.back_off(failures, RETRY) for _ in range(200)) for failures in (1, 4, 8)]
    assert longest == sorted(longest)


@pytest.mark.parametrize("failures", [1, 5, 20])
def test_the_waits_of_many_spread_over_the_whole_range(failures):
    draws = sorted(schedule.back_off(failures, RETRY) for _ in range(50))
    assert len(set(draws)) == 50
    ceiling = min(RETRY.longest, RETRY.first * 2**failures)
    assert draws[0] < RETRY.first + (ceiling - RETRY.first) / 3
    assert draws[-1] > RETRY.first + (ceiling - RETRY.first) * 2 / 3
    assert len({schedule.next_probe(3) for _ in range(50)}) == 50


def test_a_lead_is_given_up_after_the_configured_time_and_not_before():
    assert not schedule.is_given_up(None, 1e9, RETRY)
    assert not schedule.is_given_up(1e9, 1e9 + 259_199, RETRY)
    assert schedule.is_given_up(1e9, 1e9 + 259_200, RETRY)


def test_a_conversation_that_is_not_there_yet_is_asked_for_after_2_10_and_60_seconds():
    assert [schedule.not_ready(attempts) for attempts in range(3)] == [2.0, 10.0, 60.0]
    assert schedule.not_ready(1_000) == schedule.not_ready(4)


def test_a_running_conversation_is_read_often_only_where_it_is_wanted():
    live = LiveSettings(interval=30, idle_interval=3600, max_age=86_400)
    assert schedule.next_reading(0, live, wanted=True) == 30
    assert schedule.next_reading(0, live, wanted=False) == 3600
    assert schedule.next_reading(86_400, live, wanted=True) is None


@pytest.mark.parametrize("odd", [1e9, 10**400], ids=["float", "int"])
def test_no_wait_that_a_crm_asks_for_is_longer_than_a_day(odd):
    assert schedule.back_off(1, RETRY, at_least=odd) == 86_400


@pytest.mark.parametrize("odd", [math.nan, math.inf, None, "120", -5.0, True])
def test_what_is_no_number_of_seconds_is_no_wish(odd):
    assert schedule.requested_delay(odd) == 0


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5))), 86_400),
        (datetime.fromtimestamp(NOW + 7200, UTC), 7200),
        (datetime.fromtimestamp(NOW + 7200, UTC).replace(tzinfo=None), 7200),
        (datetime(1, 1, 1), 2.0),  # noqa: DTZ001  (without a zone on purpose)
        (None, 3600),
        ("tomorrow", 3600),
    ],
)
def test_a_quota_is_back_within_a_day_whatever_its_crm_says(until, seconds):
    assert schedule.quota_ends(until, NOW, RETRY) == NOW + seconds


def test_a_conversation_is_worn_out_once_its_waits_make_up_the_time_to_give_up():
    waits = [schedule.not_ready(attempt) for attempt in range(400)]
    enough = next(number for number in range(400) if sum(waits[:number]) >= RETRY.give_up_after)
    assert [schedule.is_worn_out(enough + more, RETRY) for more in (-1, 0)] == [False, True]
    assert not schedule.is_worn_out(1, RetrySettings(give_up_after=0))


def test_an_outage_however_long_wears_no_conversation_out():
    attempts = 0
    for _ in range(1_000):
        attempts = schedule.counted(attempts, RETRY)
    assert RETRY.first * 2**attempts >= RETRY.longest
    assert not schedule.is_worn_out(attempts, RETRY)
    assert schedule.counted(200, RETRY) == 200


@pytest.mark.parametrize("looks", [0, 1, 2, 50])
def test_a_look_comes_at_most_a_quarter_sooner_or_later_than_planned(looks):
    draws = [schedule.next_probe(looks) for _ in range(400)]
    middle = (min(draws) + max(draws)) / 2
    assert 0.7 * middle < min(draws) < 0.85 * middle
    assert 1.15 * middle < max(draws) < 1.3 * middle


def test_so_many_failures_are_remembered_as_make_the_wait_its_longest():
    assert [schedule.counted(attempts, RETRY) for attempts in (0, 9, 10, 11, 50)] == [1, 10, 11, 11, 50]
    short = RetrySettings(first=5.0, longest=5.0, give_up_after=600.0)
    assert schedule.counted(0, short) == 0
