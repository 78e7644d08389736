"""A queue of writers before an SQLite file, between threads and processes: first come, first served.

SQLite has one writer and no queue: a connection that finds the file locked sleeps, for up to a tenth of
a second, and looks again. A process that writes seldom then hardly ever gets in beside one that writes
all the time. Here all wait in line instead; SQLite's own lock still decides.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chatferry.errors import LedgerUnavailable

try:
    import fcntl
except ImportError:  # pragma: no cover  (no such locks on this system: SQLite's waiting has to do)
    fcntl = None  # type: ignore[assignment]

_WRITER, _NEXT = 0, 1
"""Bytes of the lock file: the holder of the first writes, the holder of the second is next."""

QUEUE_TIMEOUT: Final = 30.0
"""Seconds to wait for other writers: one may have been stopped, or hang, in the midst of writing."""

_PAUSE, _LONGER, _LONGEST = 0.00005, 1.2, 0.002
"""Seconds until the second look at a lock, by how much each further one comes later, and their limit."""


class WriterQueue:
    """The line before one SQLite file, kept by a file beside it; without a path only threads queue.

    :param timeout: how many seconds to wait in the queue.
    """

    def __init__(self, database: Path | None, timeout: float = QUEUE_TIMEOUT) -> None:
        self._path = None if database is None else database.with_name(f"{database.name}-queue")
        self._timeout = timeout
        self._threads = threading.Lock()
        self._file: int | None = None

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Be the writer for the block; the death of a process ends it.

        :raises LedgerUnavailable: if it did not come.
        """
        until = time.monotonic() + self._timeout
        if not self._threads.acquire(timeout=self._timeout):
            raise self._unavailable()
        try:
            file = self._opened()
            if file is None:
                yield
                return
            self._wait(file, until)
            try:
                yield
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN, 1, _WRITER)
        finally:
            self._threads.release()

    def _wait(self, file: int, until: float) -> None:
        """Become the next, then the writer."""
        self._lock(file, _NEXT, until)
        try:
            self._lock(file, _WRITER, until)
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, _NEXT)

    def _lock(self, file: int, byte: int, until: float) -> None:
        """Lock a byte by looking at it again and again: the system's own waiting knows no end."""
        pause = _PAUSE
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
            except (BlockingIOError, PermissionError):
                if time.monotonic() > until:
                    raise self._unavailable() from None
                time.sleep(pause)
                pause = min(pause * _LONGER, _LONGEST)
            else:
                return

    def _unavailable(self) -> LedgerUnavailable:
        return LedgerUnavailable(
            f"the ledger failed: another process or thread did not end its change in {self._timeout:.0f} s"
        )

    def close(self) -> None:
        """Let the file go; the next writer opens it again."""
        with self._threads:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _opened(self) -> int | None:
        """Return the lock file; None where none can be, which costs the order, not the writing."""
        if self._file is None and self._path is not None and fcntl is not None:
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                return None
        return self._file
