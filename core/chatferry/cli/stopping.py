"""Graceful shutdown: SIGINT and SIGTERM set a request to stop that the main thread waits for.

An exception raised by a signal handler may come between any two lines of the main thread, for instance
between acquiring a lock and the ``try`` that releases it: every other thread would then deadlock.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final

import click

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """A request to stop, from a signal or from another thread."""

    def __init__(self) -> None:
        # The only queue of the standard library whose put is reentrant, as a signal handler needs.
        self._requests: SimpleQueue[int] = SimpleQueue()

    def request(self, number: int = signal.SIGTERM) -> None:
        """Request the stop, from any thread or a signal handler."""
        self._requests.put(number)

    def wait(self) -> None:
        """Block until a stop is requested."""
        self._requests.get()

    def pause(self, seconds: float = 0.0) -> None:
        """Sleep for so many seconds.

        :raises click.exceptions.Exit: with 128 plus the signal's number if a stop is requested.
        """
        try:
            number = self._requests.get(timeout=seconds) if seconds > 0 else self._requests.get_nowait()
        except Empty:
            return
        raise click.exceptions.Exit(128 + number)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM of the block into a request to stop; a second one acts by default."""
    stop = StopRequest()

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.request(number)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield stop
    finally:
        restore()
