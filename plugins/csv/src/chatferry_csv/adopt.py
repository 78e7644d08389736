"""Import the rows of an existing CSV file into the index, and convert an index to another format."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from chatferry import TemporaryFailure
from chatferry_csv.files import ROWS_AT_A_TIME, chunks
from chatferry_csv.index import Index, IndexState
from chatferry_csv.records import digest
from chatferry_csv.text import LINE_END, Format, allow_large_cells, undefuse


def header_of(path: Path, form: Format) -> list[str]:
    """Return the column names of a file, none if it is empty."""
    allow_large_cells()
    with path.open(encoding=_reading(form), errors="replace", newline="") as file:
        return [undefuse(name) for name in next(csv.reader(file, delimiter=form.delimiter), [])]


def foreign_file(path: Path, own: Sequence[str], form: Format) -> str:
    """Return the message for a file whose header does not begin with the connector's own columns."""
    return (
        f"{path} is not a file of this connector: its columns should begin with "
        f"{form.delimiter.join(own)}; move it away, or choose another file name"
    )


def adopt(index: Index, state: IndexState, path: Path, form: Format) -> bool:
    """Import the rows of a file into the index; return whether a row is longer than the header.

    Of a duplicate key the last row counts; a truncated last row is ignored.

    :raises TemporaryFailure: if the file was not written by this connector.
    """
    header = header_of(path, form)
    own = state.columns
    if not header:
        return False
    if header[: len(own)] != own or len(set(header)) != len(header):
        raise TemporaryFailure(foreign_file(path, own, form), retry_after=60)
    state.columns = header
    odd = False
    rows: list[list[str]] = []
    with path.open(encoding=_reading(form), errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=form.delimiter)
        next(reader)
        for rows in chunks(reader):
            odd |= any(len(row) > len(header) for row in rows)
            _import(index, state, [row for row in rows if row and row[0]], form)
    if rows and rows[-1] and len(rows[-1]) < len(header) and not _ends_with_line_break(path):
        index.remove(state, [digest(undefuse(rows[-1][0]))])
    return odd


def convert(index: Index, state: IndexState, form: Format) -> None:
    """Write every row of the index in another format; each row keeps its key."""
    old = Format(delimiter=state.delimiter, encoding=state.encoding)
    state.delimiter, state.encoding = form.delimiter, form.encoding
    index.forget_keys(state)
    after = state.start
    while some := index.some_rows(state, after, ROWS_AT_A_TIME):
        rows = _padded(state, [old.cells(line) for _, line in some])
        numbers = [number for number, _ in some]
        after = numbers[-1]
        index.change(state, dict(zip(numbers, _written(rows, form), strict=True)))
        index.rekey(state, dict(zip(_digests(rows, form), numbers, strict=True)))


def _padded(state: IndexState, rows: Sequence[Sequence[str]]) -> list[list[str]]:
    width = len(state.columns)
    return [[*row[:width], *[""] * (width - len(row))] for row in rows]


def _written(rows: Sequence[Sequence[str]], form: Format) -> list[str]:
    return [line[: -len(LINE_END)] for line in form.lines(rows)]


def _digests(rows: Sequence[Sequence[str]], form: Format) -> list[bytes]:
    return [digest(undefuse(form.writable(row[0]))) for row in rows]


def _import(index: Index, state: IndexState, rows: Sequence[Sequence[str]], form: Format) -> None:
    padded = _padded(state, rows)
    lines = dict(zip(_digests(padded, form), _written(padded, form), strict=True))
    found = index.find(state, lines)
    index.change(state, {found[key][0]: line for key, line in lines.items() if key in found})
    index.add(state, {key: line for key, line in lines.items() if key not in found})


def _reading(form: Format) -> str:
    return "utf-8-sig" if form.unicode else form.encoding


def _ends_with_line_break(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - 1, 0))
        return file.read() in {b"\n", b"\r"}
