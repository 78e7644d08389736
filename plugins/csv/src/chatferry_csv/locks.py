"""One writer at a time, whichever process it is in; the lock of a killed process is free at once."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatferry import TemporaryFailure

_PATIENCE = 60.0
"""Seconds: a whole rewrite of a large file fits in."""
_LOOK = 0.002


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold the lock file for the block.

    :raises TemporaryFailure: if another process holds it for longer than ``patience`` seconds.
    """
    with held(path, patience) as mine:
        if not mine:
            raise TemporaryFailure(f"another process has been writing in {path.parent} for {patience:.0f} s")
        yield


@contextmanager
def held(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Hold the lock file for the block if it can be had in time; say whether it was."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        until = time.monotonic() + patience
        mine = _take(descriptor)
        while not mine and time.monotonic() < until:
            time.sleep(_LOOK)
            mine = _take(descriptor)
        yield mine
    finally:
        os.close(descriptor)
