"""A strategy that is not ours: one that does not come back is left behind, and costs its own answers only.

It runs in a thread beside the one that waits for it. That thread is used again: a new one for each
conversation, as hooks and connectors are given, would cost more than most strategies do.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Final, TypeAlias

from chatferry.model import Answer, Conversation
from chatferry.strategy import Strategy

_LEFT_BEHIND: Final = 5
"""Calls that may hang at a time: each keeps a thread."""

Answers: TypeAlias = Sequence[Answer]
_Task: TypeAlias = tuple[Callable[[], Answers], "Future[Answers]"]


class StrategyLost(Exception):
    """A strategy did not come back, or wants to end more than itself; the text says so and no more."""


class Watched(Strategy):
    """Stands for a strategy, and may be called from several threads at once."""

    def __init__(self, strategy: Strategy) -> None:
        super().__init__({})
        self.name = strategy.name  # type: ignore[misc]  # each stands for another one
        self._strategy = strategy
        self._idle: deque[_Worker] = deque()
        self._left_behind: list[_Worker] = []
        self._lock = threading.Lock()

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:
        """Return what the strategy finds.

        :raises StrategyLost: if it does not come back within its time-out, or has not too often; if it
            raises what is no error but an end, such as SystemExit.
        """
        worker = self._worker()
        answers = worker.start(partial(_extract, self._strategy, conversation, found))
        seconds = self._strategy.timeout
        try:
            error = answers.exception(seconds)
        except TimeoutError:
            with self._lock:
                self._left_behind.append(worker)
            raise StrategyLost(f"did not come back within {seconds:g} s") from None
        self._idle.append(worker)
        if error is not None and not isinstance(error, Exception):
            raise StrategyLost(f"raised {type(error).__name__}")
        return answers.result()

    def _worker(self) -> _Worker:
        with self._lock:
            self._left_behind = [worker for worker in self._left_behind if worker.busy]
            if len(self._left_behind) >= _LEFT_BEHIND:
                raise StrategyLost(f"hangs in {_LEFT_BEHIND} calls and more; restart chatferry")
        try:
            return self._idle.pop()
        except IndexError:
            return _Worker()


class _Worker:
    """A thread that does one thing after another, until nobody knows it any more."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._last: Future[Answers] | None = None
        threading.Thread(target=_work, args=(self._tasks,), name="strategy", daemon=True).start()
        weakref.finalize(self, self._tasks.put, None).atexit = False

    @property
    def busy(self) -> bool:
        return self._last is not None and not self._last.done()

    def start(self, ask: Callable[[], Answers]) -> Future[Answers]:
        self._last = Future()
        self._tasks.put((ask, self._last))
        return self._last


def _extract(strategy: Strategy, conversation: Conversation, found: Mapping[str, Answer]) -> Sequence[Answer]:
    return list(strategy.extract(conversation, found))


def _work(tasks: SimpleQueue[_Task | None]) -> None:
    while (task := tasks.get()) is not None:
        ask, answers = task
        try:
            answers.set_result(ask())
        except BaseException as error:  # noqa: BLE001  (handed to the thread that waits)
            answers.set_exception(error)
        del task, ask, answers  # a conversation is not kept until the next one comes
