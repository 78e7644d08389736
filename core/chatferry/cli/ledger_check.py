"""What ``chatferry check`` says of the ledger, without creating or changing it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal
from sqlalchemy.engine import make_url

from chatferry.connector import Finding, Level
from chatferry.errors import LedgerError, SettingsError
from chatferry.ledger.database import Database
from chatferry.ledger.schema import HEAD, revision

_HEADER = b"SQLite format 3\x00"
_WARN_BELOW = 1 << 30
_ERROR_BELOW = 50 << 20
"""Bytes of free disk space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """The findings; ``prepared`` if the ledger exists and its tables are up to date."""

    findings: Sequence[Finding]
    prepared: bool


def check_ledger(url: str) -> LedgerState:
    """Check the ledger of a configuration; nothing is created."""
    path = _file(url)
    findings: list[Finding] = []
    if path is not None:
        findings += disk_space(url)
        stop = _unusable(path)
        if stop is not None:
            return LedgerState(findings=[stop, *findings], prepared=False)
    found = _open(url)
    return LedgerState(findings=[found, *findings], prepared=found.message == _up_to_date())


def _file(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _unusable(path: Path) -> Finding | None:
    """Say what keeps a file from being opened as it is; None if nothing does."""
    if not path.parent.is_dir():
        return _finding(Level.ERROR, f"the folder {path.parent} does not exist; create it")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return _finding(Level.ERROR, f"the folder {path.parent} cannot be written; SQLite needs that")
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return _finding(Level.OK, f"{path} does not exist yet; the first start creates it")
    try:
        with path.open("rb") as file:
            header = file.read(len(_HEADER))
    except OSError as error:
        return _finding(Level.ERROR, f"{path} cannot be read: {error.strerror}")
    if header != _HEADER:
        return _finding(Level.ERROR, f"{path} is not an SQLite database; name another file")
    return None


def _open(url: str) -> Finding:
    try:
        database = Database(url)
    except SettingsError as error:
        return _finding(Level.ERROR, str(error))
    try:
        with database.read() as connection:
            at = revision(connection)
        with database.write():
            pass  # beginning a write transaction needs the same rights as writing
    except LedgerError as error:
        return _finding(Level.ERROR, str(error))
    finally:
        database.close()
    if at == HEAD:
        return _finding(Level.OK, _up_to_date())
    if at is None:
        return _finding(Level.OK, "the database has no tables of chatferry yet; the first start creates them")
    message = f"its tables are at revision {at}, this version of chatferry needs {HEAD}"
    if at < HEAD:
        return _finding(Level.WARNING, f"{message}; the next start brings them up to date")
    return _finding(Level.ERROR, f"{message}; it was used by a newer chatferry, install that one")


def _up_to_date() -> str:
    return f"can be read and written, its tables are up to date (revision {HEAD})"


def disk_space(url: str) -> Iterator[Finding]:
    """Say how much space the disk of a ledger has; nothing of a database elsewhere."""
    path = _file(url)
    try:
        free = shutil.disk_usage(path.parent).free if path else None
    except OSError:
        return
    if free is None:
        return
    level = Level.ERROR if free < _ERROR_BELOW else Level.WARNING if free < _WARN_BELOW else Level.OK
    message = f"{decimal(free)} are free"
    yield Finding(level=level, subject="disk", message=message if level is Level.OK else f"only {message}")


def _finding(level: Level, message: str) -> Finding:
    return Finding(level=level, subject="", message=message)
