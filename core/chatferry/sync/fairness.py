"""Per-client concurrency limit (bulkhead): one iAdvize client that hangs does not take every thread."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from chatferry.ledger.conversations import ClientKey, DueConversation

Lease: TypeAlias = Callable[[frozenset[ClientKey]], Sequence[DueConversation]]
"""Leases due conversations of one client that is not among those given."""


class Fairness:
    """Limits the readings of each client, and knows those in progress; safe between threads.

    :param most: readings that one client may have at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._readings: dict[object, Sequence[DueConversation]] = {}
        self._lock = threading.Lock()

    @property
    def in_progress(self) -> list[int]:
        """The ids of the conversations that are being read."""
        with self._lock:
            return [one.id for due in self._readings.values() for one in due]

    @contextmanager
    def reading(self, lease: Lease) -> Iterator[Sequence[DueConversation]]:
        """Lease conversations of a client below its limit; they are in progress while the block lasts."""
        # One lock around counting and leasing: threads that count together would all take the same client.
        with self._lock:
            clients = Counter((due[0].platform, due[0].client_id) for due in self._readings.values())
            due = lease(frozenset(key for key, count in clients.items() if count >= self._most))
            reading = object()
            if due:
                self._readings[reading] = due
        try:
            yield due
        finally:
            with self._lock:
                self._readings.pop(reading, None)
