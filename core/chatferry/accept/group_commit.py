"""Group commit: concurrent requests share one commit; the first thread commits for all that wait.

One flush to disk for a group of events costs as much as one for a single event, and the flush is
nearly all an accepted webhook costs.
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

    ``behind`` is woken by the one woken before it: many threads that wake at once only contend for the
    interpreter lock.
    """

    __slots__ = ("behind", "error", "item", "settled", "woken")

    def __init__(self, item: T) -> None:
        self.item = item
        self.settled = False
        self.error: Exception | None = None
        self.behind: _Waiting[T] | None = None
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
            if not mine.settled:
                self._lead()
        finally:
            if mine.behind is not None:
                mine.behind.woken.release()
        if mine.error is not None:
            raise mine.error

    def _lead(self) -> None:
        """Commit what waits, then let the first of those that came meanwhile lead."""
        with self._lock:
            group = [self._queue.popleft() for _ in range(min(len(self._queue), self._largest))]
        for waiting, behind in pairwise(group):  # the first is the leader
            waiting.behind = behind
        try:
            self._commit_group(group)
        finally:
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._committing = following is not None
            if following is not None:
                following.woken.release()

    def _commit_group(self, group: Sequence[_Waiting[T]]) -> None:
        """Commit all together; one item that is refused must not take its companions down.

        While the ledger is away no item is to blame, and to try for each would let all wait for long.
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
                waiting.settled = True

    def _commit_all(self, group: Sequence[_Waiting[T]]) -> Sequence[None]:
        self._commit([waiting.item for waiting in group])
        return [None] * len(group)
