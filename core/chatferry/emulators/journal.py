"""A log of calls with counters. Paths are templates: no values, no bodies."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

from chatferry.emulators.clock import timestamp

KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call."""

    at: float
    method: str
    route: str
    status: int
    """0 if the connection was closed without an answer."""
    milliseconds: float
    inputs: int
    """How many inputs its body had; 0 if it was no batch."""
    correlation_id: str = ""
    """What the answer can be found by, where the platform gives such an id."""
    fault: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it for the control API."""
        return {**asdict(self), "at": timestamp(self.at)}


class Journal:
    """The last calls, and counters of all; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._routes: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._last: deque[Call] = deque(maxlen=KEPT)
        self._inputs = 0

    def add(self, call: Call) -> None:
        """Count a call."""
        with self._lock:
            self._routes[f"{call.method} {call.route}"] += 1
            self._statuses[call.status] += 1
            self._inputs += call.inputs
            self._last.append(call)

    def clear(self) -> None:
        """Reset the counters and drop the calls."""
        with self._lock:
            self._routes.clear()
            self._statuses.clear()
            self._last.clear()
            self._inputs = 0

    def last(self) -> list[Call]:
        """Return the last calls, newest first."""
        with self._lock:
            return list(reversed(self._last))

    def to_json(self) -> dict[str, Any]:
        """Return counters and last calls for the control API."""
        last = [call.to_json() for call in self.last()]
        with self._lock:
            return {
                "total": sum(self._routes.values()),
                "inputs": self._inputs,
                "routes": dict(sorted(self._routes.items())),
                "statuses": {str(status): count for status, count in sorted(self._statuses.items())},
                "last": last,
            }
