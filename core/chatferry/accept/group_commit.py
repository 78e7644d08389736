"""Group commit: concurrent requests share one commit; the first thread (the leader) commits for all.

The flush to disk is nearly the whole cost of a webhook, and costs the same for one event or many.
"""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

from chatferry.errors import LedgerUnavailable
from chatferry.isolation import isolate

T = TypeVar("T")


class _Waiting(Generic[T]):
    """An item, and the thread that sleeps until it is committed or has to lead the next commit.

    Threads wake each other in a chain, ``next`` by ``next``: many that wake at once would contend for
    the GIL.
    """

    __slots__ = ("done", "error", "item", "next", "woken")

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.error: Exception | None = None
        self.next: _Waiting[T] | None = None
        self.woken = threading.Lock()
        self.woken.acquire()


class GroupCommit(Generic[T]):
    """Call ``commit`` with the items of every thread that waits, at most ``largest`` at a time."""

    def __init__(self, commit: Callable[[Sequence[T]], None], *, largest: int = 256) -> None:
        self._commit = commit
        self._largest = largest
        self._queue: deque[_Waiting[T]] = deque()
        self._committing = False
        self._lock = threading.Lock()

    def submit(self, item: T) -> None:
        """Return once ``item`` is committed; raise what its commit raised."""
        mine = _Waiting(item)
        with self._lock:
            self._queue.append(mine)
            leads, self._committing = not self._committing, True
        if not leads:
            mine.woken.acquire()
        try:
            if not mine.done:
                self._lead()
        finally:
            if mine.next is not None:
                mine.next.woken.release()
        if mine.error is not None:
            raise mine.error

    def _lead(self) -> None:
        """Commit the queue, then wake the first of the threads that came meanwhile as the next leader."""
        with self._lock:
            group = [self._queue.popleft() for _ in range(min(len(self._queue), self._largest))]
        for waiting, following in pairwise(group):  # the first is the leader
            waiting.next = following
        try:
            self._commit_group(group)
        finally:
            with self._lock:
                leader = self._queue[0] if self._queue else None
                self._committing = leader is not None
            if leader is not None:
                leader.woken.release()

    def _commit_group(self, group: Sequence[_Waiting[T]]) -> None:
        """Commit all together; where that is refused, isolate the items that cause it.

        An unavailable ledger is no item's fault: all of them fail at once, without further attempts.
        """
        try:
            outcomes = isolate(group, self._commit_all, refusal=Exception, stop=LedgerUnavailable)
            for waiting, error in zip(group, outcomes, strict=True):
                waiting.error = copy.copy(error)  # each thread raises one of its own
        except BaseException:
            for waiting in group:
                waiting.error = RuntimeError("the commit was interrupted")
            raise
        finally:
            for waiting in group:
                waiting.done = True

    def _commit_all(self, group: Sequence[_Waiting[T]]) -> Sequence[None]:
        self._commit([waiting.item for waiting in group])
        return [None] * len(group)
