"""Errors of the file system and of SQLite, as failures that say what an operator can do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatferry import TemporaryFailure

_RETRY_AFTER = 30.0
_FULL = "there is no room left for {where}: free some space, or raise the quota or size limit"
_REFUSED = "{where} may not be written: give the user chatferry runs as the right to write there"
_READ_ONLY = "{where} is on a read-only file system: mount it for writing"
_MISSING = "{where} does not exist: create the directory, or mount it"
_FAILED = "the disk under {where} fails or is full ({what}): check its state and its free space"
_BY_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _REFUSED,
    errno.EPERM: _REFUSED,
    errno.EROFS: _READ_ONLY,
    errno.ENOENT: _MISSING,
    errno.ENOTDIR: _MISSING,
}
_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _REFUSED,
    sqlite3.SQLITE_PERM: _REFUSED,
    sqlite3.SQLITE_CANTOPEN: _REFUSED,
    sqlite3.SQLITE_IOERR: _FAILED,
}
_PRIMARY = 0xFF


def damaged(error: sqlite3.Error) -> bool:
    """Tell whether an index is damaged and has to be rebuilt."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn errors of the files into a :class:`TemporaryFailure` that says what an operator has to do."""
    try:
        yield
    except OSError as error:
        template = _BY_ERRNO.get(error.errno or 0, "{where} cannot be written ({what})")
        what = error.strerror or type(error).__name__
        raise _failure(template, directory, what) from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        template = _BY_SQLITE.get(code, "the index of {where} cannot be used ({what})")
        what = getattr(error, "sqlite_errorname", type(error).__name__)
        raise _failure(template, directory, what) from error


def _failure(template: str, directory: Path, what: str) -> TemporaryFailure:
    message = template.format(where=directory, what=what)
    return TemporaryFailure(message, retry_after=_RETRY_AFTER, code=what)
