"""The time zone of the machine, which must change nothing that users see or CRMs get."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

ZONES = ["Europe/Paris", "Asia/Kolkata", "America/St_Johns"]
"""One with days of 23 and 25 hours, one ahead by a half hour, one behind by one."""


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run the test in a zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()
