"""No iAdvize client takes every thread: one that hangs must not keep the others unread."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from chatferry.ledger.conversations import DueConversation

ClientKey: TypeAlias = tuple[str, int]
"""Platform and client id."""

Lease: TypeAlias = Callable[[frozenset[ClientKey]], Sequence[DueConversation]]
"""Leases due conversations of one client that is not among those given."""


class Fairness:
    """Counts the readings of each client that are under way; safe between threads.

    :param most: how many a client may have at once before others come first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[ClientKey] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def reading(self, lease: Lease) -> Iterator[Sequence[DueConversation]]:
        """Lease conversations of a client whose turn it is; they are under way while the block lasts."""
        # One lock around looking and leasing: threads that looked together would all take the same client.
        with self._lock:
            busy = frozenset(key for key, count in self._under_way.items() if count >= self._most)
            due = lease(busy)
            clients = {(one.platform, one.client_id) for one in due}
            self._under_way.update(clients)
        try:
            yield due
        finally:
            with self._lock:
                self._under_way.subtract(clients)
