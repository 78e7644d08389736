"""One line in the log when a client of iAdvize cannot be read any more, and one when it can again."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from chatferry.errors import PlatformAuthFailure, PlatformUnavailable
from chatferry.logs import get_logger


class Outage:
    """Whether a client can be read, as its outcomes show; safe between threads."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._away = False
        self._lock = threading.Lock()
        self._log = get_logger("chatferry.iadvize")

    def note(self, outcomes: Iterable[object]) -> None:
        """Look at what became of one document: any answer about a conversation is a sign of life."""
        found = list(outcomes)
        failures = [one for one in found if isinstance(one, PlatformUnavailable | PlatformAuthFailure)]
        away = len(failures) == len(found)
        with self._lock:
            if not found or away == self._away:
                return
            self._away = away
        if away:
            self._log.error("iadvize cannot be read", client=self._client, reason=str(failures[0]))
        else:
            self._log.info("iadvize can be read again", client=self._client)
