"""What ``chatferry demo`` delivers to: the two files of a directory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatferry.emulators.stage import Arrived, Stage
from chatferry_csv.records import CONTACT, CONVERSATION
from chatferry_csv.text import allow_large_cells, undefuse


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Deliver into ``directory``."""
    paths = [directory / name for name in ("contacts.csv", "conversations.csv")]
    yield Stage(held=lambda: _held(*paths), places=[str(path) for path in paths])


def _held(contacts: Path, conversations: Path) -> Iterator[Arrived]:
    by_key = {row["contact_key"]: row for row in _rows(contacts)}
    for row in _rows(conversations):
        contact = row["contact_key"]
        yield Arrived(
            key=row["key"], contact=contact, records={CONTACT: by_key.get(contact, {}), CONVERSATION: row}
        )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Return the complete rows so far, with the defusing of formulas undone."""
    allow_large_cells()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if None not in row.values():  # the last row of a file that grows may be unfinished
                    yield {name: undefuse(cell) for name, cell in row.items()}
    except FileNotFoundError:
        return
