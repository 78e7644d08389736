"""Refusals of requests that need no secret, in the log: the first of a kind at once, the rest as counts.

Without a secret the log could be filled otherwise.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

from chatferry.errors import WebhookRefused
from chatferry.logs import get_logger

INTERVAL: Final = 60.0
"""Seconds that one line sums up."""
_KINDS: Final = 20
"""Details counted separately in an interval; a sender may choose the words of some."""
_OTHERS: Final = "others"


class Refusals:
    """Count refusals. Any thread may use it."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._log = get_logger("chatferry.web")
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._timer: threading.Timer | None = None

    def note(self, error: WebhookRefused) -> None:
        """Log a refusal if it is the first of its kind in this interval; count it otherwise."""
        with self._lock:
            kind = error.detail if error.detail in self._counts or len(self._counts) < _KINDS else _OTHERS
            self._counts[kind] += 1
            is_first = self._counts[kind] == 1
            if self._timer is None:
                self._timer = threading.Timer(self._interval, self.sum_up)
                self._timer.daemon = True
                self._timer.start()
        if is_first:
            detail = error.detail if kind != _OTHERS else "other reasons"
            self._log.warning("webhook refused", status=error.status, reason=error.title, detail=detail)

    def sum_up(self) -> None:
        """Log what was only counted, in one line, and begin a new interval."""
        with self._lock:
            timer, self._timer = self._timer, None
            counts, self._counts = self._counts, Counter()
        if timer is not None:
            timer.cancel()
        more = {kind: count - 1 for kind, count in counts.most_common() if count > 1}
        if more:
            self._log.warning(
                "more webhooks refused", count=sum(more.values()), seconds=self._interval, details=more
            )
