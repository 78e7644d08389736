"""The emulator's clock: real time plus an offset that tests can change, or frozen."""

from __future__ import annotations

import time
from datetime import UTC, datetime, tzinfo


class Clock:
    """Seconds since the epoch, as everything in the emulator sees them."""

    def __init__(self) -> None:
        self._moved = 0.0
        self._frozen: float | None = None

    @property
    def frozen(self) -> bool:
        """Whether only :meth:`advance` moves it."""
        return self._frozen is not None

    def now(self) -> float:
        """Return the present moment, in seconds since the epoch."""
        return (time.time() if self._frozen is None else self._frozen) + self._moved

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._moved += seconds

    def freeze(self, *, frozen: bool) -> None:
        """Freeze the clock, or let it run again from the frozen time."""
        here = self.now()
        self._frozen = here if frozen else None
        self._moved = 0.0 if frozen else here - time.time()

    def day(self, zone: tzinfo) -> str:
        """Return today's date in a time zone; a new one resets the daily limit."""
        return datetime.fromtimestamp(self.now(), zone).date().isoformat()


def timestamp(moment: float) -> str:
    """Write a moment as ISO 8601 in UTC, with milliseconds and ``Z``."""
    return iso_utc(datetime.fromtimestamp(moment, UTC))


def iso_utc(moment: datetime) -> str:
    """Write a moment in UTC as ISO 8601, with milliseconds and ``Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
