"""Objects with their records, found by id and by the fields that are made for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from chatferry_salesforce.emulator.fields import Field


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """One record; ``values`` holds no empty ones."""

    id: str
    kind: str
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    created: float
    modified: float
    deleted: bool = False


class ObjectType:
    """One object of the org."""

    def __init__(self, *, name: str, prefix: str, fields: Iterable[Field], custom: bool = False) -> None:
        self.name = name
        self.prefix = prefix
        self.custom = custom
        self.fields = {one.name.lower(): one for one in fields}
        self.records: dict[str, Record] = {}
        self.changed_at = 0.0
        """When its definition was changed last, in seconds since the epoch."""
        self._index: dict[tuple[str, str], dict[str, None]] = {}

    def field(self, name: str) -> Field | None:
        """Return a field by its name, whose case does not matter."""
        return self.fields.get(name.lower())

    def add_field(self, one: Field, at: float) -> None:
        """Add a field, or change one."""
        self.fields[one.name.lower()] = one
        self.changed_at = at
        for record in self.records.values():
            self.put(record, record.values)

    def put(self, record: Record, values: dict[str, Any]) -> None:
        """Store a record with these values, so that it is found by them."""
        for key in self._keys(record.values):
            self._index.get(key, {}).pop(record.id, None)
        record.values = {name: value for name, value in values.items() if value is not None}
        self.records[record.id] = record
        for key in self._keys(record.values):
            self._index.setdefault(key, {})[record.id] = None

    def remove(self, record: Record) -> None:
        """Take a record out for good."""
        self.put(record, {})
        del self.records[record.id]

    def find(self, name: str, value: object) -> list[Record]:
        """Return the records that hold a value in a field that records are found by, deleted ones too."""
        one = self.field(name)
        if one is None:
            return []
        found = self._index.get((one.name, _folded(one, value)), {})
        return [self.records[each] for each in found]

    def live(self) -> Iterator[Record]:
        """Yield the records that are not in the recycle bin."""
        return (record for record in self.records.values() if not record.deleted)

    def _keys(self, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in values.items():
            one = self.field(name)
            if one is not None and (one.is_lookup or one.unique):
                yield one.name, _folded(one, value)


def _folded(one: Field, value: object) -> str:
    return str(value) if one.case_sensitive else str(value).casefold()
