"""Leads as changes to rows: the file, the key, and how a record is merged into an existing row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from chatferry import Lead, Record
from chatferry_csv.text import SUSPECT, Format, clean

CONTACT = "contact"
CONVERSATION = "conversation"
OWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    CONTACT: ("contact_key",),
    CONVERSATION: ("key", "contact_key"),
}
"""Per object, the columns chatferry fills by itself; the first is the key."""


class Change(NamedTuple):
    """One record to be written to a row. ``own`` are the leading cells, ``digest`` identifies the row.

    Without ``may_create`` a row that is not there is not made.

    A tuple, because two are made for every lead: a frozen dataclass takes four times as long.
    """

    own: tuple[str, ...]
    digest: bytes
    record: Record
    may_create: bool = True

    def __repr__(self) -> str:
        return f"Change(digest={self.digest.hex()})"


def digest(key: str) -> bytes:
    """Return the hash that identifies a row: of fixed length and without personal data."""
    return blake2b(key.encode("utf-8"), digest_size=16).digest()


def changes_of(lead: Lead, form: Format) -> dict[str, Change]:
    """Return per file what a lead changes; a contact without a key gets no row."""
    found = {}
    for kind, record in lead.records.items():
        keys = (lead.contact_key,) if kind == CONTACT else (lead.key, lead.contact_key)
        name = form.writable(keys[0])
        if name:
            own = tuple([form.cell(key) for key in keys])
            found[kind] = Change(own=own, digest=digest(name), record=record, may_create=not lead.update_only)
    return found


def lost_characters(changes: Iterable[Change], form: Format) -> Iterable[str]:
    """Say which fields hold characters the encoding has none for."""
    for one in changes:
        for name, value in one.record.initial.items():
            if isinstance(value, str) and clean(value) != form.writable(value):
                yield f"{name}: characters that {form.encoding} does not have are written as \\u1234"


def fields_of(record: Record) -> Mapping[str, object]:
    """Return a record's fields by name, in the order of the mapping as far as it can be known."""
    if not record.create_only and not record.fill_if_empty:
        return record.values
    return {**record.create_only, **record.fill_if_empty, **record.values}


def new_cells(one: Change, places: Mapping[str, int], form: Format) -> list[str]:
    """Return the cells of a new row."""
    cells = [*one.own, *[""] * (len(places) - len(one.own))]
    cell, untouched = form.cell, form.line_breaks == "keep"
    for name, value in one.record.initial.items():
        # Most cells are ordinary text: a call for each is a tenth of what a delivery costs.
        plain = untouched and type(value) is str and value and value[0] not in SUSPECT
        cells[places[name]] = value if plain else cell(value)  # type: ignore[assignment]
    return cells


def merged_cells(one: Change, cells: Sequence[str], places: Mapping[str, int], form: Format) -> list[str]:
    """Return the cells of a row after the change; only a new row takes what is create-only."""
    merged = [*one.own, *cells[len(one.own) :], *[""] * (len(places) - len(cells))]
    for name, value in one.record.values.items():
        merged[places[name]] = form.cell(value)
    for name, value in one.record.fill_if_empty.items():
        if not merged[places[name]]:
            merged[places[name]] = form.cell(value)
    return merged
