"""How many conversations go into one document, and when the next may be sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_PASSES_TO_GROW = 8
"""Documents that must pass in a row before more is asked for at a time."""
_SUSPICIOUS = 3
"""Documents in a row that found the platform away before it may be their own fault."""


class Pace:
    """Shared by the threads that read one client; shrinks when refused, grows back slowly."""

    def __init__(self, most: int, clock: Callable[[], float] = time.time) -> None:
        self._most = max(1, most)
        self._size = self._most
        self._passed = 0
        self._not_before = 0.0
        self._away = 0
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """How many conversations to ask for at a time."""
        return self._size

    @property
    def wait(self) -> float:
        """Seconds until the platform wants to be asked again; 0 when it may be asked now."""
        return max(0.0, self._not_before - self._clock())

    def passed(self, count: int) -> None:
        """Note that a document of ``count`` conversations passed at the first try."""
        with self._lock:
            if count < self._size or self._size == self._most:
                return
            self._passed += 1
            if self._passed >= _PASSES_TO_GROW:
                self._passed = 0
                self._size = min(self._most, self._size + max(1, self._size // 4))

    def refused(self, best: int) -> None:
        """Note that documents were refused and that one of ``best`` conversations was the largest to pass."""
        with self._lock:
            self._size = max(1, min(self._size, best))
            self._passed = 0

    def away(self) -> bool:
        """Note that the platform was away; return whether it is time to look if a smaller document passes.

        In an outage that costs some documents more, hence not each time.
        """
        with self._lock:
            self._away += 1
            return self._away % _SUSPICIOUS == 0

    def answered(self) -> None:
        """Note that the platform is not away."""
        self._away = 0

    def hold(self, seconds: float) -> None:
        """Ask for nothing for so long."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)
