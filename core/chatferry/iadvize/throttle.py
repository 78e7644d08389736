"""Client-side throttling: how many conversations one document asks for, and when the next may be sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_PASSES_TO_GROW = 8
"""Documents that must pass in a row before the batch size grows."""
_FAILURES_TO_SUSPECT = 3
"""Documents in a row that found the platform unavailable before the document itself is suspected."""


class Throttle:
    """An adaptive batch size and the platform's rate limit, shared by the threads that read one client.

    The size drops at once when documents are refused and grows back slowly.
    """

    def __init__(self, largest: int, clock: Callable[[], float] = time.time) -> None:
        self._largest = max(1, largest)
        self._size = self._largest
        self._passed = 0
        self._not_before = 0.0
        self._unavailable = 0
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """How many conversations to ask for at a time."""
        return self._size

    @property
    def wait(self) -> float:
        """Seconds until the rate limit allows the next request; 0 if it may be sent now."""
        return max(0.0, self._not_before - self._clock())

    def passed(self, count: int) -> None:
        """Count a document of ``count`` conversations that passed at the first try."""
        with self._lock:
            if count < self._size or self._size == self._largest:
                return
            self._passed += 1
            if self._passed >= _PASSES_TO_GROW:
                self._passed = 0
                self._size = min(self._largest, self._size + max(1, self._size // 4))

    def refused(self, passing: int) -> None:
        """Shrink: documents were refused, and the largest that passed had ``passing`` conversations."""
        with self._lock:
            self._size = max(1, min(self._size, passing))
            self._passed = 0

    def unavailable(self) -> bool:
        """Count an unavailable platform; return whether to try if a smaller document passes.

        That costs more requests during an outage, hence not each time.
        """
        with self._lock:
            self._unavailable += 1
            return self._unavailable % _FAILURES_TO_SUSPECT == 0

    def answered(self) -> None:
        """Reset the count of :meth:`unavailable`."""
        self._unavailable = 0

    def delay(self, seconds: float) -> None:
        """Let no request be sent for so long (Retry-After)."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)
