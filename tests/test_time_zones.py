"""Wherever the machine is: the same times in what is read, asked for, shown and written."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from chatferry import schedule
from chatferry.cli.times import Moment, shown
from chatferry.http import retry_after
from chatferry.iadvize.scalars import moment
from chatferry.leads.mapping.filters import date
from chatferry.settings.model import FieldSettings, RetrySettings

pytestmark = pytest.mark.usefixtures("zone")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_the_zone_is_not_that_of_utc():
    assert time.localtime(NOON.timestamp()).tm_hour != 12


@pytest.mark.parametrize(
    "header",
    [
        "Wed, 01 Jul 2026 12:00:30 GMT",
        "Wed, 01 Jul 2026 12:00:30",
        "Wed, 01 Jul 2026 12:00:30 -0000",
        "Wed, 01 Jul 2026 14:00:30 +0200",
        "Wednesday, 01-Jul-26 12:00:30 GMT",
    ],
)
def test_a_wait_until_a_date_is_one_until_that_instant(header):
    assert retry_after(header, NOON.timestamp()) == 30


@pytest.mark.parametrize("until", [NOON, NOON.replace(tzinfo=None)])
def test_a_quota_without_a_zone_is_back_by_utc(until):
    now = NOON.timestamp() - 3600
    assert schedule.quota_ends(until, now, RetrySettings()) == NOON.timestamp()


@pytest.mark.parametrize(
    "written",
    [
        "2026-07-01T12:00:00Z",
        "2026-07-01T12:00:00",
        "2026-07-01T14:00:00+02:00",
        "2026-07-01 12:00Z[Etc/UTC]",
    ],
)
def test_a_date_of_iadvize_is_the_same_instant(written):
    assert moment(written) == NOON


@pytest.mark.parametrize(
    ("at", "day", "hour"),
    [
        ("2026-03-28T22:59:59+00:00", "2026-03-28", "23:59"),
        ("2026-03-28T23:00:00+00:00", "2026-03-29", "00:00"),
        ("2026-03-29T00:59:59+00:00", "2026-03-29", "01:59"),
        ("2026-03-29T01:00:00+00:00", "2026-03-29", "03:00"),  # there is no 2 o'clock
        ("2026-03-29T21:59:59+00:00", "2026-03-29", "23:59"),
        ("2026-03-29T22:00:00+00:00", "2026-03-30", "00:00"),  # a day of 23 hours
        ("2026-10-25T00:30:00+00:00", "2026-10-25", "02:30"),
        ("2026-10-25T01:30:00+00:00", "2026-10-25", "02:30"),  # and again
        ("2026-10-25T23:00:00+00:00", "2026-10-26", "00:00"),
    ],
)
def test_a_day_changes_at_midnight_in_the_zone_that_the_mapping_names(at, day, hour):
    point = datetime.fromisoformat(at)
    assert date(point, "%Y-%m-%d", "Europe/Paris") == date(at, "%Y-%m-%d", "Europe/Paris") == day
    assert date(point, "%H:%M", "Europe/Paris") == hour
    assert date(point) == at[:10]


def test_days_and_hours_of_the_command_line_are_of_utc():
    midnight = datetime(2026, 3, 29, tzinfo=UTC).timestamp()
    assert Moment().convert("2026-03-29", None, None) == midnight
    assert Moment().convert("2026-03-29T12:00", None, None) == midnight + 12 * 3600
    assert Moment().convert("2026-03-29T12:00+02:00", None, None) == midnight + 10 * 3600
    assert shown(midnight + 12 * 3600) == "2026-03-29 12:00:00 UTC"


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_what_a_crm_gets_is_the_same(ferry):
    fields = {
        "closed_at": "conversation.closed_at",
        "day": "conversation.closed_at | date('%Y-%m-%d %H:%M')",
        "transcript": "transcript",
    }
    mapping = {name: FieldSettings(expression=expression) for name, expression in fields.items()}
    ferry.destination("crm", mapping={"conversation": mapping})
    (one,) = ferry.play()
    ferry.tell_closed(one)
    ferry.run()
    truth, row = ferry.truth(one), ferry.row(one)
    assert abs(row["closed_at"] - truth.closed_at).total_seconds() < 1
    assert row["day"] == truth.closed_at.strftime("%Y-%m-%d %H:%M")
    first = datetime.strptime(row["transcript"][:7], "[%H:%M]").replace(tzinfo=UTC)
    minutes = (first - truth.created_at).total_seconds() / 60 % (24 * 60)
    assert minutes < 20 or minutes > 24 * 60 - 1
