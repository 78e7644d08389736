"""The files of one directory and their index: decides what is written and when."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chatferry import TemporaryFailure
from chatferry_csv import files
from chatferry_csv.adopt import adopt, convert
from chatferry_csv.index import Index, IndexState
from chatferry_csv.locks import locked, try_lock
from chatferry_csv.problems import damaged
from chatferry_csv.records import OWN_COLUMNS, Change, fields_of, merged_cells, new_cells
from chatferry_csv.recovery import Recovery, is_whole
from chatferry_csv.text import LINE_END, Format

INDEX = ".chatferry-csv.index"
_LOCK = ".chatferry-csv.lock"
_REWRITE_LOCK = ".chatferry-csv.rewrite.lock"
SMALL = 256 * 1024
"""Bytes up to which a changed file is rewritten at once: it takes about a millisecond."""
SHARE = 0.05
"""The share of the time that rewriting a large file may take."""
LINGER = 1.0
"""Seconds to wait for further changes of a large file, so that one rewrite publishes them all."""
_INDEX_FACTOR = 4
"""Upper bound of what an append needs in the index and its log, as a multiple of its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One file as it was configured."""

    kind: str
    name: str
    columns: tuple[str, ...] = ()
    """Beside chatferry's own; from the start, in this order."""
    usual: tuple[str, ...] = ()
    """The columns to start with if the first records have no others."""


@dataclass(slots=True, kw_only=True)
class _Plan:
    """What has to be done to a file after the commit of the index."""

    state: IndexState
    created: set[bytes] = field(default_factory=set)
    rewrite: bool = False
    data: bytes = b""


class Store:
    """Writes changes; one for each destination, of which several may share a directory."""

    def __init__(
        self,
        directory: Path,
        destination: str,
        form: Format,
        tables: Sequence[Table],
        *,
        mode: int = files.PRIVATE,
    ) -> None:
        self.directory = directory
        self.destination = destination
        self.form = form
        self.mode = mode
        self.tables = {table.kind: table for table in tables}
        self.notes: list[str] = []
        """Messages for the operator, returned with the next receipt."""
        self.has_unpublished = False
        """Whether the last :meth:`write` left changes for :meth:`publish_due` to publish."""
        self._recovery = Recovery(directory, self.notes)
        self._index: Index | None = None

    def path(self, kind: str) -> Path:
        """Return where the file of ``kind`` is."""
        return self.directory / self.tables[kind].name

    @property
    def exists(self) -> bool:
        """Whether anything was ever written here."""
        return (self.directory / INDEX).exists()

    # ---------------------------------------------------------------------- changes

    def write(self, changes: Mapping[str, Sequence[Change]]) -> dict[str, set[bytes]]:
        """Make the changes durable and publish them; return per kind the keys that had no row.

        When this returns every new row is in its file. Changed rows of a file above
        :data:`SMALL` are durable in the index and published by the next :meth:`publish_due`.
        """
        with locked(self.directory / _LOCK):
            try:
                return self._write(changes)
            except sqlite3.DatabaseError as error:
                if not damaged(error):
                    raise
                self._set_index_aside()
                return self._write(changes)

    def _write(self, changes: Mapping[str, Sequence[Change]]) -> dict[str, set[bytes]]:
        index = self._opened()
        states = {kind: self._ready(index, kind) for kind in changes}
        plans: dict[str, _Plan] = {}
        with index.transaction():
            for kind, some in changes.items():
                plans[kind] = self._apply(index, states[kind], kind, some)
            self._require_space(sum(len(plan.data) for plan in plans.values()))
        for plan in plans.values():
            self._publish(index, plan)
        self.has_unpublished = any(plan.state.dirty for plan in plans.values())
        return {kind: plan.created for kind, plan in plans.items()}

    def _apply(self, index: Index, state: IndexState, kind: str, some: Sequence[Change]) -> _Plan:
        """Bring the index up to date and plan what the file needs."""
        plan = _Plan(state=state, rewrite=self._widen(state, kind, some) or not state.size)
        new, changed = self._lines(index, state, some)
        plan.created = set(new)
        first = state.last + 1
        index.add(state, {key: line[: -len(LINE_END)] for key, line in new.items()})
        index.change(state, changed)
        plan.rewrite |= bool(changed) and state.size <= SMALL
        state.epoch += plan.rewrite
        state.revision += bool(changed or plan.rewrite)
        if new and not plan.rewrite:
            plan.data = self.form.encode("".join(new.values()))
            state.base, state.first, state.mtime = state.size, first, files.stamp()
            state.size += len(plan.data)
            state.crc = zlib.crc32(plan.data, state.crc)
        if new or changed or plan.rewrite:
            index.save(state)
        return plan

    def _widen(self, state: IndexState, kind: str, some: Sequence[Change]) -> bool:
        """Add the columns the records need; say whether there were any."""
        table, own = self.tables[kind], OWN_COLUMNS[kind]
        needed: dict[str, object] = {}
        for one in some:
            needed |= fields_of(one.record)
        first = table.columns
        if not first and len(state.columns) == len(own) and set(needed) <= set(table.usual):
            first = table.usual
        missing = [name for name in dict.fromkeys((*first, *needed)) if name not in state.columns]
        state.columns += missing
        return bool(missing)

    def _lines(
        self, index: Index, state: IndexState, some: Sequence[Change]
    ) -> tuple[dict[bytes, str], dict[int, str]]:
        """Return the lines of new rows by key, and those of changed rows by number."""
        form, places = self.form, state.places
        found = index.find(state, {one.digest for one in some})
        rows: dict[bytes, list[str]] = {}
        for one in some:
            before = rows.get(one.digest)
            if before is None and one.digest in found:
                before = form.cells(found[one.digest][1])
            if before is None and not one.may_create:
                continue
            rows[one.digest] = (
                new_cells(one, places, form) if before is None else merged_cells(one, before, places, form)
            )
        lines = dict(zip(rows, form.lines(rows.values()), strict=True))
        changed = {}
        for key, (number, before_line) in found.items():
            line = lines.pop(key)[: -len(LINE_END)]
            if line != before_line:
                changed[number] = line
        return lines, changed

    def _require_space(self, size: int) -> None:
        """Raise before the commit if the changes would not fit on the disk."""
        disk = os.statvfs(self.directory)
        if disk.f_bavail * disk.f_frsize < size * _INDEX_FACTOR:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _publish(self, index: Index, plan: _Plan) -> None:
        state = plan.state
        if plan.rewrite:
            self._rewrite(index, state)
        elif plan.data:
            files.append(self.directory / state.name, plan.data, state.base, state.mtime)

    def erase(self, digests: Mapping[str, Iterable[bytes]]) -> None:
        """Remove the rows of these keys from the files, the index and its log."""
        with locked(self.directory / _LOCK):
            index = self._opened()
            states = {kind: self._ready(index, kind) for kind in digests}
            with index.transaction():
                for kind, state in states.items():
                    if index.remove(state, digests[kind]):
                        state.epoch += 1
                        state.revision += 1
                        index.save(state)
            for state in states.values():
                if state.needs_rewrite:
                    self._rewrite(index, state)
            index.truncate_log()

    # ------------------------------------------------------------------ publication

    def publish_due(self) -> float | None:
        """Rewrite the large files that are due; return the seconds until the next call.

        None if every change is published. Runs concurrently with :meth:`write`, with a connection of
        its own: writers wait for the last step of a rewrite only.
        """
        if not self.exists:
            return None
        with try_lock(self.directory / _REWRITE_LOCK) as acquired, Index(self.directory / INDEX) as index:
            for state in index.states() if acquired else ():
                if state.needs_rewrite or not is_whole(self.directory / state.name, state):
                    self._repair(index, state.name)
                elif state.dirty and seconds_to_wait(state) <= 0:
                    self._rewrite_concurrently(index, state.name)
            waits = [seconds_to_wait(state) for state in index.states() if state.dirty]
            return max(min(waits), LINGER) if waits else None

    def publish_all(self) -> None:
        """Publish every change now."""
        if not self.exists:
            return
        with locked(self.directory / _LOCK):
            index = self._opened()
            for state in index.states():
                if self._recovery.repair(index, state) or state.dirty:
                    self._rewrite(index, state)

    def _repair(self, index: Index, name: str) -> None:
        """Repair a file after a crash, without waiting for the next lead."""
        with locked(self.directory / _LOCK):
            state = index.known(name)
            if self._recovery.repair(index, state) or state.needs_rewrite:
                self._rewrite(index, state)

    def _rewrite_concurrently(self, index: Index, name: str) -> None:
        """Write a new version while other processes append to the old one, then swap them."""
        path, began = self.directory / name, time.monotonic()
        with files.Rewrite(path, self.directory / f".{name}.beside", self.mode) as new:
            with index.transaction("DEFERRED"):
                seen = index.known(name)
                _render(new, index, seen)
            with locked(self.directory / _LOCK):
                now = index.known(name)
                if not is_whole(path, now) or (now.epoch, now.published) != (seen.epoch, seen.published):
                    new.drop()  # a concurrent writer published meanwhile: its version stays
                    return
                _write_lines(new, index, now, seen.last)
                self._swap(index, now, new, seen.revision, began)

    def _rewrite(self, index: Index, state: IndexState) -> None:
        """Write a new version; call it under the lock."""
        began, path = time.monotonic(), self.directory / state.name
        with files.Rewrite(path, self.directory / f".{state.name}.new", self.mode) as new:
            _render(new, index, state)
            self._swap(index, state, new, state.revision, began)

    def _swap(self, index: Index, state: IndexState, new: files.Rewrite, revision: int, began: float) -> None:
        """Record the new version in the index, then swap; after a crash in between, ``Recovery`` swaps."""
        state.mtime = files.stamp()
        new.finish(state.mtime)
        state.inode, state.size, state.crc, state.staged = new.inode, new.size, new.crc, new.staged.name
        state.base, state.published, state.shown = state.size, revision, state.epoch
        state.published_at, state.took = time.time(), time.monotonic() - began
        with index.transaction():
            index.save(state)
        files.replace(new.staged, self.directory / state.name)

    # ---------------------------------------------------------------------- recovery

    def _opened(self) -> Index:
        """Return the index, opened again if its file was replaced or removed."""
        if self._index is not None and not self._index.current:
            self.close()
        if self._index is None:
            path = self.directory / INDEX
            files.create(path, self.mode)
            try:
                self._index = Index(path)
            except sqlite3.DatabaseError as error:
                if not damaged(error):
                    raise
                self._set_index_aside()
                files.create(path, self.mode)
                self._index = Index(path)
        return self._index

    def _set_index_aside(self) -> None:
        """Rename a damaged index: the next one is built from the files."""
        self.close()
        path = self.directory / INDEX
        aside = files.set_aside(path, "damaged")
        for ending in ("-wal", "-shm"):
            log = path.with_name(path.name + ending)
            if log.exists():
                log.rename(aside.with_name(aside.name + ending))
        self.notes.append(f"the index in {self.directory} was damaged and has been rebuilt from the files")

    def _ready(self, index: Index, kind: str) -> IndexState:
        """Return the state of a file, after repairing it and converting it to the configured format."""
        table, path = self.tables[kind], self.directory / self.tables[kind].name
        state = index.state(table.name)
        if state is None:
            return self._create(index, kind, path)
        if (state.delimiter, state.encoding) != (self.form.delimiter, self.form.encoding):
            self._convert(index, state)
        if self._recovery.repair(index, state) or state.needs_rewrite:
            self._rewrite(index, state)
        return state

    def _create(self, index: Index, kind: str, path: Path) -> IndexState:
        """Create the state of a file; the rows of an existing file are imported."""
        odd = False
        with index.transaction():
            state = index.new_state(
                path.name, OWN_COLUMNS[kind], self.destination, self.form.delimiter, self.form.encoding
            )
            if path.exists():
                odd = adopt(index, state, path, self.form)
            index.save(state)
        if path.exists():
            if odd:
                self._recovery.put_aside(path, "has rows longer than its header")
            self._rewrite(index, state)
        return state

    def _convert(self, index: Index, state: IndexState) -> None:
        if state.destination != self.destination:
            raise TemporaryFailure(
                f"{self.directory / state.name} is written by the destination {state.destination} with the "
                f"delimiter {state.delimiter!r} in {state.encoding}: give both the same, or another file",
                retry_after=60,
            )
        if self._recovery.repair(index, state):
            self._rewrite(index, state)
        with index.transaction():
            convert(index, state, self.form)
            state.epoch += 1
            state.revision += 1
            index.save(state)
        self._rewrite(index, state)

    def close(self) -> None:
        """Close the index."""
        if self._index is not None:
            self._index.close()
            self._index = None


def seconds_to_wait(state: IndexState) -> float:
    """Return the seconds until a rewrite may begin, so that rewriting takes no more than ``SHARE``."""
    pause = state.took * (1 / SHARE - 1)
    return min(state.published_at + pause - time.time(), pause)


def _render(new: files.Rewrite, index: Index, state: IndexState) -> None:
    form = Format(delimiter=state.delimiter, encoding=state.encoding)
    header = form.lines([[form.cell(name) for name in state.columns]])[0]
    new.write(form.mark + form.encode(header))
    _write_lines(new, index, state, state.start)


def _write_lines(new: files.Rewrite, index: Index, state: IndexState, after: int) -> None:
    form = Format(delimiter=state.delimiter, encoding=state.encoding)
    for some in files.chunks(index.lines(state, after)):
        new.write(form.encode(LINE_END.join([*some, ""])))
