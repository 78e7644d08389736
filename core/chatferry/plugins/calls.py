"""Calls of plugins' code with a time-out, each in a daemon thread that can be abandoned.

Hooks, strategies and connectors are all called through this module. Python cannot end a thread: a call
that hangs keeps its thread, and the number of such threads is limited.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar

T = TypeVar("T")
_Task: TypeAlias = "tuple[Context, Callable[[], Any], Future[Any]]"

MOST_HUNG: Final = 5
"""The limit of hanging calls: each keeps a thread, and the memory and locks of the called code."""


class CallHung(Exception):
    """A call did not return in time, or was not made because earlier ones hang.

    :param call: the call itself; None where none was made.
    """

    def __init__(self, message: str, call: Future[Any] | None = None) -> None:
        self.call = call
        super().__init__(message)

    @property
    def is_running(self) -> bool:
        """Whether the call has still not returned."""
        return self.call is not None and not self.call.done()


class CallAborted(Exception):
    """A call raised something like SystemExit or KeyboardInterrupt, which must not end the process."""

    def __init__(self, end: BaseException) -> None:
        self.end = end
        super().__init__(f"raised {type(end).__name__}")


class Calls:
    """Makes calls in a pool of daemon threads; thread-safe.

    :param name: of the threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: deque[_Worker] = deque()
        self._hung: list[Future[Any]] = []
        self._lock = threading.Lock()

    def run(self, function: Callable[[], T], *, timeout: float) -> T:
        """Return what ``function`` returns, or raise what it raises.

        :param timeout: seconds to wait for it.
        :raises CallHung: if it does not return in time, or :data:`MOST_HUNG` earlier calls hang.
        :raises CallAborted: if it raises what is no :class:`Exception`.
        """
        self._check_hung()
        worker = self._worker()
        call: Future[T] = worker.start(function)
        try:
            error = call.exception(timeout)
        except TimeoutError:
            with self._lock:
                self._hung.append(call)
            raise CallHung(f"did not return within {timeout:g} s", call) from None
        self._idle.append(worker)
        if error is not None and not isinstance(error, Exception):
            raise CallAborted(error) from error
        return call.result()

    def _check_hung(self) -> None:
        with self._lock:
            self._hung = [call for call in self._hung if not call.done()]
            if len(self._hung) >= MOST_HUNG:
                raise CallHung(f"hangs in {MOST_HUNG} calls and more; restart chatferry")

    def _worker(self) -> _Worker:
        try:
            return self._idle.pop()
        except IndexError:
            return _Worker(self._name)


class _Worker:
    """A thread that makes one call after another, and ends once this object is dropped."""

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        threading.Thread(target=_work, args=(self._tasks,), name=name, daemon=True).start()
        weakref.finalize(self, self._tasks.put, None).atexit = False

    def start(self, function: Callable[[], T]) -> Future[T]:
        call: Future[T] = Future()
        self._tasks.put((copy_context(), function, call))
        return call


def _work(tasks: SimpleQueue[_Task | None]) -> None:
    while (task := tasks.get()) is not None:
        context, function, call = task
        try:
            call.set_result(context.run(function))
        except BaseException as error:  # noqa: BLE001  (handed to the thread that waits)
            call.set_exception(error)
        del task, context, function, call  # an idle thread must keep no lead in memory
