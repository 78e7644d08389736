from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatferry.errors import PlatformAuthFailure, PlatformRefused, PlatformUnavailable, SettingsError
from chatferry.iadvize.http import KeyRefused, check_status, check_url
from chatferry.iadvize.throttle import Throttle

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, PlatformUnavailable),
        (400, PlatformRefused),
        (401, KeyRefused),
        (403, PlatformAuthFailure),
        (404, PlatformUnavailable),
        (413, PlatformRefused),
        (422, PlatformRefused),
        (500, PlatformUnavailable),
        (503, PlatformUnavailable),
        (504, PlatformUnavailable),
    ],
)
def test_a_status_decides_what_happens(status, kind):
    with pytest.raises(kind) as failure:
        check_status(status, {}, NOW)
    assert type(failure.value) is kind


def test_a_429_without_advice_means_a_minute():
    with pytest.raises(PlatformUnavailable) as failure:
        check_status(429, {}, NOW)
    assert failure.value.retry_after == 60.0


def test_a_password_is_not_sent_in_the_clear():
    with pytest.raises(SettingsError, match="https:// is required"):
        check_url("http://api.iadvize.com")


def test_the_batch_size_shrinks_at_once_and_grows_slowly():
    throttle = Throttle(50)
    throttle.refused(12)
    assert throttle.size == 12
    for _ in range(8):
        throttle.passed(12)
    assert throttle.size == 15
    for _ in range(7):
        throttle.passed(15)
        throttle.passed(3)
    assert throttle.size == 15
    for _ in range(100):
        throttle.passed(throttle.size)
    assert throttle.size == 50
