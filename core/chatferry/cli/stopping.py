"""SIGINT and SIGTERM as news that is waited for.

As an exception they come between any two lines of the main thread, for instance when a lock was just
taken and nobody knows yet that it has to be released: every thread that wants it then waits for ever.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final

import click

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """What told us to stop, if anything did."""

    def __init__(self) -> None:
        # The one queue of the standard library that a signal handler may put something into.
        self._told: SimpleQueue[int] = SimpleQueue()

    def tell(self, number: int = signal.SIGTERM) -> None:
        """Ask for the end, from any thread or a signal handler."""
        self._told.put(number)

    def wait(self) -> None:
        """Return when somebody asked for the end."""
        self._told.get()

    def pause(self, seconds: float = 0.0) -> None:
        """Rest for so long.

        :raises click.exceptions.Exit: with a shell's code for the signal, if somebody asked for the end.
        """
        try:
            number = self._told.get(timeout=seconds) if seconds > 0 else self._told.get_nowait()
        except Empty:
            return
        raise click.exceptions.Exit(128 + number)


@contextmanager
def stopping() -> Iterator[Stopping]:
    """Turn the first SIGINT or SIGTERM of the block into news; a second one acts as it always did."""
    told = Stopping()

    def hear(number: int, _frame: FrameType | None) -> None:
        told.tell(number)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, hear) for number in _STOPPING}
    try:
        yield told
    finally:
        restore()
