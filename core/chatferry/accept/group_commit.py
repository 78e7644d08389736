"""Concurrent requests share one commit: whoever comes first commits for all who wait.

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

from chatferry.errors import LedgerRefused, LedgerUnavailable

T = TypeVar("T")


class _Waiting(Generic[T]):
    """An item, and the thread that sleeps until it is settled or until it is its turn to commit.

    ``behind`` is woken by whoever was woken before it: many who wake at once only fight for the
    interpreter.
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
        """Commit what waits, then let the first of those who came meanwhile do the same."""
        with self._lock:
            group = [self._queue.popleft() for _ in range(min(len(self._queue), self._largest))]
        for waiting, behind in pairwise(group):  # the first is whoever leads
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
        try:
            self._commit([waiting.item for waiting in group])
        except Exception as error:  # noqa: BLE001  (each thread raises it where it can be handled)
            self._settle_one_by_one(group, error)
        except BaseException:
            for waiting in group:
                waiting.error = RuntimeError("the commit was interrupted")
            raise
        finally:
            for waiting in group:
                waiting.settled = True

    def _settle_one_by_one(self, group: Sequence[_Waiting[T]], error: Exception) -> None:
        """Find out whose fault it was: one item must not take its companions down.

        While the ledger is away it is nobody's, and to try for each would let all wait for long.
        """
        away = error if _is_away(error) else None
        for waiting in group:
            if away is not None:
                waiting.error = copy.copy(away)  # each thread raises one of its own
                continue
            waiting.error = error if len(group) == 1 else self._attempt(waiting.item)
            if waiting.error is not None and _is_away(waiting.error):
                away = waiting.error

    def _attempt(self, item: T) -> Exception | None:
        try:
            self._commit([item])
        except Exception as error:  # noqa: BLE001  (handed to the thread it belongs to)
            return error
        return None


def _is_away(error: Exception) -> bool:
    return isinstance(error, LedgerUnavailable) and not isinstance(error, LedgerRefused)
