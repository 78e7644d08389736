"""From values to HubSpot's strings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chatferry_hubspot.properties import as_property, as_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (0, "0"),
        (12.5, "12.5"),
        (1e-7, "0.0000001"),
        (3.0, "3"),
        (1e21, "1000000000000000000000"),
        (float("nan"), ""),
        (datetime(2026, 11, 22, 10, 14, 3, tzinfo=timezone(timedelta(hours=1))), "2026-11-22T09:14:03Z"),
        (datetime(2026, 11, 22, 9, 14, 3, 5000, tzinfo=UTC), "2026-11-22T09:14:03.005Z"),
        ("a\x00b\ud83dc\n", "ab\ufffdc\n"),
    ],
)
def test_every_value_is_a_string(value: object, text: str):
    assert as_text(value) == text


def test_a_property_that_is_a_date_gets_the_day_and_any_other_the_moment(account, lead, receipts):
    types, moment = {"since": "date", "at": "datetime"}, datetime(2026, 11, 22, 9, 14, tzinfo=UTC)
    fields = {"contact": ("email", *types)}
    account.provision(fields, types=types)
    receipts(account.connect(types=types), lead(since=moment, at=moment))
    (contact,) = account.records("contacts")
    assert (contact["since"], contact["at"]) == ("2026-11-22", "2026-11-22T09:14:00Z")


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("tzinfo", [UTC, None])
def test_a_time_and_its_day_are_of_utc_wherever_the_machine_is(tzinfo):
    late = datetime(2026, 7, 1, 23, 30, tzinfo=tzinfo)
    assert as_property(late, "datetime") == "2026-07-01T23:30:00Z"
    assert as_property(late, "date") == "2026-07-01"
