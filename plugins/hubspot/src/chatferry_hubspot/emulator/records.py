"""Records of one object type: indexed by id and by unique properties, and as search sees them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chatferry.emulators.clock import timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record; immutable: a change replaces it."""

    id: str
    properties: Mapping[str, str]
    created: float
    updated: float
    archived_at: float | None = None
    merged_into: str | None = None
    new: bool = field(default=False, compare=False)
    """Whether the write that returned it created it."""

    @property
    def archived(self) -> bool:
        """Whether it is in the recycling bin."""
        return self.archived_at is not None

    def to_json(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the record with these properties; those without a value are null."""
        answer = {
            "id": self.id,
            "properties": {name: self.properties.get(name) or None for name in sorted(names)},
            "createdAt": timestamp(self.created),
            "updatedAt": timestamp(self.updated),
            "archived": self.archived,
        }
        if self.archived_at is not None:
            answer["archivedAt"] = timestamp(self.archived_at)
        return answer


def unique_key(name: str, value: str) -> str:
    """Return the key that equal values share: e-mails are trimmed and lower-cased, others as they are."""
    return value.strip().lower() if name == "email" else value


class Table:
    """The records of one object type. Every change goes through :meth:`put`."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.lag = 0.0
        """Seconds until search finds a write (eventual consistency)."""
        self._unique: dict[str, dict[str, str]] = {}
        self._changes: deque[tuple[float, str, Record | None]] = deque()
        self._undo: list[tuple[str, Record | None]] | None = None

    def index(self, name: str) -> None:
        """Keep the values of this property unique from now on."""
        present = {one.id: one.properties.get(name) for one in self.records.values() if not one.archived}
        values = {unique_key(name, value): record_id for record_id, value in present.items() if value}
        self._unique.setdefault(name, values)

    def drop_index(self, name: str) -> None:
        """Drop the index of an archived property."""
        self._unique.pop(name, None)

    @property
    def unique_names(self) -> tuple[str, ...]:
        """The properties by which a record can be addressed."""
        return tuple(self._unique)

    def live(self, record_id: str) -> Record | None:
        """Return a record that is not archived; the id of a merged one finds its successor."""
        record = self.records.get(record_id)
        while record is not None and record.merged_into is not None:
            record = self.records.get(record.merged_into)
        return None if record is None or record.archived else record

    def find(self, name: str, value: str) -> Record | None:
        """Return the live record that has this value of a unique property."""
        owner = self._unique[name].get(unique_key(name, value))
        return None if owner is None else self.live(owner)

    def put(self, record: Record, *, at: float) -> Record:
        """Store a new or changed record."""
        self._replace(record.id, record, at)
        return record

    def remove(self, record_id: str, *, at: float) -> None:
        """Delete a record permanently."""
        self._replace(record_id, None, at)

    def _replace(self, record_id: str, record: Record | None, at: float) -> None:
        previous = self.records.get(record_id)
        if previous is not None:
            for name, value in self._keys(previous):
                if self._unique[name].get(value) == record_id:
                    del self._unique[name][value]
        if record is None:
            self.records.pop(record_id, None)
        else:
            self.records[record_id] = record
            for name, value in self._keys(record):
                self._unique[name][value] = record_id
        if self._undo is not None:
            self._undo.append((record_id, previous))
        self._changes.append((at, record_id, previous))
        while self._changes[0][0] < self._changes[-1][0] - self.lag:
            self._changes.popleft()

    def _keys(self, record: Record) -> Iterator[tuple[str, str]]:
        if record.archived:
            return
        for name in self._unique:
            if value := record.properties.get(name):
                yield name, unique_key(name, value)
        if "email" in self._unique:
            for value in record.properties.get("hs_additional_emails", "").split(";"):
                if value:
                    yield "email", value

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Roll back every change of the block if it raises."""
        done: list[tuple[str, Record | None]] = []
        self._undo = done
        try:
            yield
        except BaseException:
            self._undo = None
            for record_id, previous in reversed(done):
                self._replace(record_id, previous, self._changes[-1][0])
            for _ in range(2 * len(done)):
                self._changes.pop()
            raise
        finally:
            self._undo = None

    def as_of(self, moment: float) -> dict[str, Record]:
        """Return the records as they were: what search sees, because it lags behind writes."""
        while self._changes and self._changes[0][0] <= moment:
            self._changes.popleft()
        seen = dict(self.records)
        for _, record_id, previous in reversed(self._changes):
            if previous is None:
                seen.pop(record_id, None)
            else:
                seen[record_id] = previous
        return seen
