"""An exclusive lock between processes (flock), which the system releases when its process is killed."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatferry import TemporaryFailure

_LOCK_TIMEOUT = 60.0
"""Seconds; longer than the rewrite of a large file."""
_POLL_INTERVAL = 0.002


def _acquire(descriptor: int) -> bool:
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
    with try_lock(path, timeout) as acquired:
        if not acquired:
            raise TemporaryFailure(f"another process has been writing in {path.parent} for {timeout:.0f} s")
        yield


@contextmanager
def try_lock(path: Path, timeout: float = 0.0) -> Iterator[bool]:
    """Try to hold the lock file for the block; yield whether it was acquired in time."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        until = time.monotonic() + timeout
        acquired = _acquire(descriptor)
        while not acquired and time.monotonic() < until:
            time.sleep(_POLL_INTERVAL)
            acquired = _acquire(descriptor)
        yield acquired
    finally:
        os.close(descriptor)
