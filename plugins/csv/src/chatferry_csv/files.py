"""File operations: durable append, atomic rewrite, checksum. Knows nothing of leads."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")

ROWS_AT_A_TIME = 2000
_BYTES_AT_A_TIME = 1 << 20
PRIVATE = 0o600
"""Readable to its owner alone: everything here is personal data."""


def stamp() -> int:
    """Return the modification time, in nanoseconds, to set on a file after each publication.

    Even seconds, which every file system can store: any other time is a write by another program.
    """
    return int(time.time()) // 2 * 2 * 1_000_000_000


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Return the items a few thousand at a time."""
    remaining = iter(items)
    while some := list(islice(remaining, ROWS_AT_A_TIME)):
        yield some


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``: one call may write less, when a disk fills up."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def append(path: Path, data: bytes, base: int, mtime: int) -> None:
    """Append at ``base``, durably; a failure leaves the file as it was."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.lseek(descriptor, base, os.SEEK_SET)
        try:
            write_all(descriptor, data)
        except OSError:
            os.ftruncate(descriptor, base)
            raise
        os.utime(descriptor, ns=(mtime, mtime))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Rewrite:
    """A new version of a file, written beside it; use it as a context manager.

    :param mode: the permissions of a file that is not there yet.
    """

    def __init__(self, path: Path, staged: Path, mode: int = PRIVATE) -> None:
        self.path = path
        self.staged = staged
        self.mode = mode
        self.size = 0
        self.crc = 0
        self.inode = 0

    def __enter__(self) -> Self:
        self._descriptor = os.open(self.staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE)
        self.inode = os.fstat(self._descriptor).st_ino
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        os.close(self._descriptor)
        if kind is not None:
            self.drop()

    def write(self, data: bytes) -> None:
        """Append to the new version."""
        write_all(self._descriptor, data)
        self.size += len(data)
        self.crc = zlib.crc32(data, self.crc)

    def drop(self) -> None:
        """Delete the new version."""
        self.staged.unlink(missing_ok=True)

    def finish(self, mtime: int) -> None:
        """Make it durable and like the file it replaces: its permissions and, if allowed, its group."""
        try:
            old = self.path.stat()
        except FileNotFoundError:
            os.fchmod(self._descriptor, self.mode)
        else:
            os.fchmod(self._descriptor, old.st_mode & 0o7777)
            if old.st_gid != os.fstat(self._descriptor).st_gid:
                _keep_group(self._descriptor, old.st_gid)
        os.utime(self._descriptor, ns=(mtime, mtime))
        os.fsync(self._descriptor)


def _keep_group(descriptor: int, group: int) -> None:
    try:
        os.fchown(descriptor, -1, group)
    except PermissionError:
        return


def replace(staged: Path, path: Path) -> None:
    """Replace the file atomically: a reader sees the old version or the new one, whole."""
    staged.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file."""
    crc = 0
    with path.open("rb") as file:
        while data := file.read(_BYTES_AT_A_TIME):
            crc = zlib.crc32(data, crc)
    return crc


def create(path: Path, mode: int) -> None:
    """Create a file, or take it back from those who may not read it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        if os.fstat(descriptor).st_mode & 0o777 & ~mode or mode != PRIVATE:
            os.fchmod(descriptor, mode)
    except PermissionError:
        pass  # another user's, who shares it with us
    finally:
        os.close(descriptor)


def set_aside(path: Path, why: str) -> Path:
    """Rename a file out of the way, keeping it; return where it is now."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    aside = path.with_name(f"{path.stem}.{why}-{now}{path.suffix}")
    path.rename(aside)
    return aside
