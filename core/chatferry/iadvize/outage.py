"""Log the start and the end of an outage of iAdvize, one line each, whatever the number of failures."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from chatferry.errors import PlatformAuthFailure, PlatformUnavailable
from chatferry.logs import get_logger


class Outage:
    """Whether a client can be read, as the outcomes show; thread-safe."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._ongoing = False
        self._lock = threading.Lock()
        self._log = get_logger("chatferry.iadvize")

    def note(self, outcomes: Iterable[object]) -> None:
        """Take the outcomes of one document: any answer about a conversation ends an outage."""
        found = list(outcomes)
        failures = [one for one in found if isinstance(one, PlatformUnavailable | PlatformAuthFailure)]
        ongoing = len(failures) == len(found)
        with self._lock:
            if not found or ongoing == self._ongoing:
                return
            self._ongoing = ongoing
        if ongoing:
            self._log.error("iadvize cannot be read", client=self._client, reason=str(failures[0]))
        else:
            self._log.info("iadvize can be read again", client=self._client)
