"""Repair a file after a crash or a change by another program: compare it with the state in the index."""

from __future__ import annotations

import os
from pathlib import Path

from chatferry_csv import files
from chatferry_csv.index import Index, IndexState
from chatferry_csv.text import LINE_END, Format


class Recovery:
    """Restores the files of a directory to what was published; call it under the lock."""

    def __init__(self, directory: Path, notes: list[str]) -> None:
        self.directory = directory
        self.notes = notes
        """Receives messages for the operator."""

    def repair(self, index: Index, state: IndexState) -> bool:
        """Complete an interrupted publication; return whether the file has to be rewritten."""
        path = self.directory / state.name
        if is_whole(path, state):
            return False
        staged = self.directory / state.staged
        if state.staged and _inode(staged) == state.inode:
            files.replace(staged, path)
        if not path.exists():
            if state.inode:
                self.notes.append(f"{path} was missing and has been rewritten")
            return bool(state.inode)
        if _complete_append(index, state, path):
            return False
        if path.stat().st_size == state.size and files.checksum(path) == state.crc:
            _accept_copy(index, state, path)  # copied, restored from a backup, or touched
            return False
        self.put_aside(path, "was changed by another program")
        return True

    def put_aside(self, path: Path, what: str) -> None:
        """Rename a file that has changed since its publication."""
        aside = files.set_aside(path, "edited")
        self.notes.append(f"{path} {what}: that version is kept as {aside.name}, the file is rewritten")


def is_whole(path: Path, state: IndexState) -> bool:
    """Return whether the file is unchanged since the last publication."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (state.inode, state.size, state.mtime)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _complete_append(index: Index, state: IndexState, path: Path) -> bool:
    """Repeat the last append if it was cut short; return whether the file is whole now."""
    now = path.stat()
    if now.st_ino != state.inode or not state.base <= now.st_size <= state.size:
        return False
    if now.st_size < state.size:
        form = Format(delimiter=state.delimiter, encoding=state.encoding)
        tail = "".join(f"{line}{LINE_END}" for line in index.lines(state, state.first - 1))
        data = form.encode(tail)
        if state.base + len(data) != state.size:
            return False
        files.append(path, data, state.base, state.mtime)
    elif files.checksum(path) == state.crc:
        os.utime(path, ns=(state.mtime, state.mtime))
    return is_whole(path, state) and files.checksum(path) == state.crc


def _accept_copy(index: Index, state: IndexState, path: Path) -> None:
    state.mtime = files.stamp()
    os.utime(path, ns=(state.mtime, state.mtime))
    state.inode = path.stat().st_ino
    with index.transaction():
        index.save(state)
