"""One writer at a time, whichever process it is in; the lock of a killed process is free at once."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatferry import TemporaryFailure

_LOCK_TIMEOUT = 60.0
"""Seconds: a whole rewrite of a large file fits in."""
_LOOK = 0.002


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path, timeout: float = _LOCK_TIMEOUT) -> Iterator[None]:
    """Hold the lock file for the block.

    :raises TemporaryFailure: if another process holds it for longer than ``timeout`` seconds.
    """
    with held(path, timeout) as mine:
        if not mine:
            raise TemporaryFailure(f"another process has been writing in {path.parent} for {timeout:.0f} s")
        yield


@contextmanager
def held(path: Path, timeout: float = 0.0) -> Iterator[bool]:
    """Hold the lock file for the block if it can be had in time; say whether it was."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        until = time.monotonic() + timeout
        mine = _take(descriptor)
        while not mine and time.monotonic() < until:
            time.sleep(_LOOK)
            mine = _take(descriptor)
        yield mine
    finally:
        os.close(descriptor)
