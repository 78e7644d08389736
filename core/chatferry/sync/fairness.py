"""No iAdvize client takes every thread: one that hangs must not keep the others unread."""

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
    """Knows the readings that are under way, and how many each client has; safe between threads.

    :param most: how many a client may have at once before others come first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._readings: dict[object, Sequence[DueConversation]] = {}
        self._lock = threading.Lock()

    @property
    def under_way(self) -> list[int]:
        """The conversations that are being read: their rows in the ledger."""
        with self._lock:
            return [one.id for due in self._readings.values() for one in due]

    @contextmanager
    def reading(self, lease: Lease) -> Iterator[Sequence[DueConversation]]:
        """Lease conversations of a client whose turn it is; they are under way while the block lasts."""
        # One lock around looking and leasing: threads that looked together would all take the same client.
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
