"""The hidden index beside the files: an SQLite database of every row and key, and what was published.

It is the source of truth; the CSV files are published from it. The only module with SQL.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Self

from chatferry import TemporaryFailure

VERSION = 1
_KEYS_AT_A_TIME = 1000
_ROWS_PER_FILE = 1 << 40
"""Row numbers reserved for a file: those of file 2 start at 2 * _ROWS_PER_FILE, so its rows are adjacent."""
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit is durable before its receipts are returned
    "secure_delete = ON",  # erased data must not stay in free pages
    "wal_autocheckpoint = 4000",  # pages of 4 KiB: a few full batches
    "journal_size_limit = 67108864",  # the log grows while a large file is rewritten
    "cache_size = -8192",  # KiB; small, since one process may run many connectors
)
_SCHEMA = f"""
CREATE TABLE files(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, columns TEXT NOT NULL, destination TEXT NOT NULL,
  delimiter TEXT NOT NULL, encoding TEXT NOT NULL, last INTEGER NOT NULL,
  epoch INTEGER NOT NULL, shown INTEGER NOT NULL, revision INTEGER NOT NULL, published INTEGER NOT NULL,
  inode INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, crc INTEGER NOT NULL,
  base INTEGER NOT NULL, first INTEGER NOT NULL, staged TEXT NOT NULL,
  published_at REAL NOT NULL, took REAL NOT NULL);
CREATE TABLE keys(
  file INTEGER NOT NULL, digest BLOB NOT NULL, row INTEGER NOT NULL, PRIMARY KEY(file, digest)
) WITHOUT ROWID;
CREATE TABLE rows(row INTEGER PRIMARY KEY, width INTEGER NOT NULL, line TEXT NOT NULL);
PRAGMA user_version = {VERSION};
"""


@dataclass(slots=True, kw_only=True)
class IndexState:
    """What the index knows of one file.

    :ivar last: the number of its newest row.
    :ivar epoch: incremented when only a rewrite can publish the change (columns added, rows
        removed, another format); ``shown`` is the epoch of the published file.
    :ivar revision: incremented when rows changed; ``published`` is the revision of the published file.
    :ivar inode, size, mtime, crc: of the file after its last publication.
    :ivar base, first: the size before the last append, and the number of its first row.
    :ivar staged: the name of the finished rewrite that replaces the file.
    :ivar published_at, took: when the last rewrite ended, and its duration in seconds.
    """

    id: int
    name: str
    columns: list[str]
    destination: str
    delimiter: str
    encoding: str
    last: int
    epoch: int = 0
    shown: int = 0
    revision: int = 1
    published: int = 0
    inode: int = 0
    size: int = 0
    mtime: int = 0
    crc: int = 0
    base: int = 0
    first: int = 0
    staged: str = ""
    published_at: float = 0.0
    took: float = 0.0

    @property
    def dirty(self) -> bool:
        """Whether the index has changes that are not published."""
        return self.revision > self.published

    @property
    def needs_rewrite(self) -> bool:
        """Whether the file must be rewritten before rows may be appended."""
        return self.epoch != self.shown

    @property
    def start(self) -> int:
        """The number before the first row's."""
        return self.id * _ROWS_PER_FILE

    @property
    def places(self) -> dict[str, int]:
        """The position of each column."""
        return {name: place for place, name in enumerate(self.columns)}


_STATE = tuple(field.name for field in fields(IndexState))
_SAVE = f"INSERT OR REPLACE INTO files({', '.join(_STATE)}) VALUES (:{', :'.join(_STATE)})"  # noqa: S608  (our own names)


class Index:
    """An open index; a connection of its own. Close it."""

    def __init__(self, path: Path) -> None:
        """Open or create it; raises :class:`sqlite3.DatabaseError` if it is damaged."""
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
        try:
            self._prepare()
            self.inode = path.stat().st_ino
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        for pragma in _PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
        elif version != VERSION:
            raise TemporaryFailure(
                f"{self.path} was created by another version of chatferry-csv (index {version}, this one "
                f"knows {VERSION}): install the newer one",
                retry_after=60,
            )

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def current(self) -> bool:
        """Whether the file at the path is still the one that is open."""
        try:
            return self.path.stat().st_ino == self.inode
        except FileNotFoundError:
            return False

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """Commit what the block did, or nothing of it; ``DEFERRED`` for a snapshot to read."""
        self._db.execute(f"BEGIN {kind}")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def truncate_log(self) -> None:
        """Truncate the write-ahead log, so that no deleted data stays on the disk."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # ------------------------------------------------------------------------ files

    def states(self) -> list[IndexState]:
        """Return the state of every file."""
        found = self._db.execute(f"SELECT {', '.join(_STATE)} FROM files ORDER BY id").fetchall()  # noqa: S608  (our own names)
        return [_state(row) for row in found]

    def state(self, name: str) -> IndexState | None:
        """Return the state of a file, None if the index does not have it."""
        select = f"SELECT {', '.join(_STATE)} FROM files WHERE name = ?"  # noqa: S608  (our own names)
        found = self._db.execute(select, (name,)).fetchone()
        return _state(found) if found else None

    def known(self, name: str) -> IndexState:
        """Return the state of a file that the index has."""
        return next(state for state in self.states() if state.name == name)

    def new_state(
        self, name: str, columns: Sequence[str], destination: str, delimiter: str, encoding: str
    ) -> IndexState:
        """Return the state of a file that has no row yet; :meth:`save` it."""
        number = self._db.execute("SELECT ifnull(max(id), 0) + 1 FROM files").fetchone()[0]
        return IndexState(
            id=number,
            name=name,
            columns=list(columns),
            destination=destination,
            delimiter=delimiter,
            encoding=encoding,
            last=number * _ROWS_PER_FILE,
        )

    def save(self, state: IndexState) -> None:
        """Save the state of a file."""
        self._db.execute(
            _SAVE,
            {
                **{name: getattr(state, name) for name in _STATE},
                "columns": json.dumps(state.columns),
            },
        )

    # ------------------------------------------------------------------------- rows

    def find(self, state: IndexState, digests: Iterable[bytes]) -> dict[bytes, tuple[int, str]]:
        """Return the row numbers and lines of those keys that have a row."""
        found: dict[bytes, tuple[int, str]] = {}
        remaining = iter(digests)
        while some := list(islice(remaining, _KEYS_AT_A_TIME)):
            places = ", ".join("?" * len(some))
            select = (
                "SELECT digest, rows.row, line FROM keys JOIN rows USING(row)"  # noqa: S608  (question marks)
                f" WHERE file = ? AND digest IN ({places})"
            )
            for digest, row, line in self._db.execute(select, (state.id, *some)):
                found[digest] = (row, line)
        return found

    def add(self, state: IndexState, lines: Mapping[bytes, str]) -> None:
        """Append rows, by key; a key that has a row already keeps its number."""
        width, first = len(state.columns), state.last + 1
        self._db.executemany(
            "INSERT INTO rows(row, width, line) VALUES (?, ?, ?)",
            ((row, width, line) for row, line in enumerate(lines.values(), first)),
        )
        self.rekey(state, {digest: row for row, digest in enumerate(lines, first)})
        state.last += len(lines)

    def change(self, state: IndexState, lines: Mapping[int, str]) -> None:
        """Replace the lines of these rows."""
        width = len(state.columns)
        self._db.executemany(
            "UPDATE rows SET line = ?, width = ? WHERE row = ?",
            ((line, width, row) for row, line in lines.items()),
        )

    def remove(self, state: IndexState, digests: Iterable[bytes]) -> int:
        """Delete the rows of these keys; return how many there were."""
        removed = 0
        for digest in digests:
            key = (state.id, digest)
            where = "row = (SELECT row FROM keys WHERE file = ? AND digest = ?)"
            removed += self._db.execute(f"DELETE FROM rows WHERE {where}", key).rowcount  # noqa: S608  (our own words)
            self._db.execute("DELETE FROM keys WHERE file = ? AND digest = ?", key)
        return removed

    def rekey(self, state: IndexState, rows: Mapping[bytes, int]) -> None:
        """Set the rows of these keys."""
        self._db.executemany(
            "INSERT OR REPLACE INTO keys(file, digest, row) VALUES (?, ?, ?)",
            ((state.id, digest, row) for digest, row in sorted(rows.items())),
        )

    def forget_keys(self, state: IndexState) -> None:
        """Delete all keys of a file, before they are added again."""
        self._db.execute("DELETE FROM keys WHERE file = ?", (state.id,))

    def some_rows(self, state: IndexState, after: int, limit: int) -> list[tuple[int, str]]:
        """Return the numbers and lines of the next rows after a number."""
        select = "SELECT row, line FROM rows WHERE row > ? AND row <= ? ORDER BY row LIMIT ?"
        return self._db.execute(select, (after, state.last, limit)).fetchall()

    def lines(self, state: IndexState, after: int, until: int | None = None) -> Iterator[str]:
        """Return the lines of the rows after a number, in order, each as wide as the file is now."""
        width = len(state.columns)
        select = (
            "SELECT CASE width WHEN :width THEN line"
            " ELSE line || substr(:pads, 1, :width - width) END"
            " FROM rows WHERE row > :after AND row <= :until ORDER BY row"
        )
        pads = state.delimiter * width
        limits = {
            "width": width,
            "pads": pads,
            "after": max(after, state.start),
            "until": state.last if until is None else until,
        }
        for (line,) in self._db.execute(select, limits):
            yield line


def _state(row: Sequence[object]) -> IndexState:
    values = dict(zip(_STATE, row, strict=True))
    values["columns"] = json.loads(str(values["columns"]))
    return IndexState(**values)  # type: ignore[arg-type]  # the table's own types
