"""Client-side throttling: how many conversations one document asks for, and when the next may be sent.

While the platform is away nothing is sent but one probe now and then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from chatferry import schedule

_PASSES_TO_GROW = 8
"""Documents that must pass in a row before the batch size grows."""


class Throttle:
    """An adaptive batch size and the platform's rate limit, shared by the threads that read one client.

    The size drops at once when documents are refused and grows back slowly. Once the platform
    is found to be away, :attr:`is_resting` until the next probe is due, and while it is under way.
    """

    def __init__(self, largest: int, clock: Callable[[], float] = time.time) -> None:
        self._largest = max(1, largest)
        self._size = self._largest
        self._passed = 0
        self._not_before = 0.0
        self._probes = 0
        self._probe_at: float | None = None
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

    @property
    def is_away(self) -> bool:
        """Whether the platform was away when it was last asked."""
        return self._probe_at is not None

    @property
    def is_resting(self) -> bool:
        """Whether nothing is to be asked now: the rate limit, or the next probe, is not due yet."""
        probe_at = self._probe_at
        return self.wait > 0 or (probe_at is not None and probe_at > self._clock())

    def begin_probe(self, longest: float) -> None:
        """Let the others rest while one looks whether the platform answers, ``longest`` seconds at most."""
        with self._lock:
            if self._probe_at is not None:
                self._probe_at = self._clock() + longest

    def away(self) -> None:
        """Rest until the next probe: the platform answers nothing."""
        with self._lock:
            self._probe_at = self._clock() + schedule.next_probe(self._probes)
            self._probes += 1

    def answered(self) -> None:
        """End the rest: the platform answers."""
        if self._probe_at is not None:
            with self._lock:
                self._probe_at = None
                self._probes = 0

    def delay(self, seconds: float) -> None:
        """Let no request be sent for so long (Retry-After)."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)
