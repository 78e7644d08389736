"""How many calls the org may get in 24 hours; the window rolls, it has no reset (``Sforce-Limit-Info``)."""

from __future__ import annotations

from collections import deque
from typing import Final

from chatferry.emulators.clock import Clock
from chatferry_salesforce.emulator.errors import limit_exceeded

DAY: Final = 86_400.0


class Allowance:
    """The calls of the last 24 hours."""

    def __init__(self, most: int, clock: Clock) -> None:
        self.most = most
        self._clock = clock
        self._calls: deque[float] = deque()

    @property
    def used(self) -> int:
        """How many calls were made in the last 24 hours."""
        now = self._clock.now()
        while self._calls and self._calls[0] <= now - DAY:
            self._calls.popleft()
        return len(self._calls)

    def admit(self) -> None:
        """Count a call.

        :raises ApiError: 403 if the allowance is used up; that call does not count.
        """
        if self.used >= self.most:
            raise limit_exceeded()
        self._calls.append(self._clock.now())

    @property
    def header(self) -> str:
        """The value of ``Sforce-Limit-Info``."""
        return f"api-usage={self.used}/{self.most}"
