"""Refusals of requests that need no secret, in the log: without one it could be filled otherwise."""

from __future__ import annotations

from chatferry.errors import WebhookRefused
from chatferry.logs import INTERVAL, SummedLines


class Refusals:
    """Log the first refusal of a kind, and count the others. Any thread may use it."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._lines = SummedLines(
            "chatferry.web", "warning", "webhook refused", "more webhooks refused", interval=interval
        )

    def note(self, error: WebhookRefused) -> None:
        """Log a refusal if it is the first of its kind in this interval; count it otherwise."""
        self._lines.add(error.detail, status=error.status, reason=error.title, detail=error.detail)

    def sum_up(self) -> None:
        """Log what was only counted, in one line, and begin a new interval."""
        self._lines.sum_up()
