"""The emulated org: objects, records, sessions, and the allowance of calls, all in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chatferry.emulators.clock import Clock
from chatferry.emulators.journal import Journal
from chatferry_salesforce.emulator.allowance import Allowance
from chatferry_salesforce.emulator.catalogue import standard_objects
from chatferry_salesforce.emulator.errors import not_found
from chatferry_salesforce.emulator.fields import Field
from chatferry_salesforce.emulator.ids import PREFIXES, make_id
from chatferry_salesforce.emulator.sessions import Sessions
from chatferry_salesforce.emulator.settings import OrgSettings
from chatferry_salesforce.emulator.tables import ObjectType, Record


class Org:
    """One org with one integration user. Hold ``lock`` to read or write its records."""

    def __init__(self, settings: OrgSettings) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.journal = Journal()
        self._initial = settings
        self.reset()

    def reset(self) -> None:
        """Return to the initial state: no records but the user's, no deployed fields; the clock runs."""
        self.settings = self._initial
        self._number = 3_400 + 1_000 * self.settings.seed
        self._undo: list[Callable[[], None]] | None = None
        self.clock.freeze(frozen=False)
        self.journal.clear()
        self.allowance = Allowance(self.settings.daily, self.clock)
        self.sessions = Sessions(self.settings, self.clock)
        self.objects: dict[str, ObjectType] = {}
        self.granted: set[tuple[str, str]] = set()
        """Custom objects (with an empty field) and custom fields that the integration user may use."""
        self.grants: dict[str, frozenset[tuple[str, str]]] = {}
        """What each permission set grants."""
        self.deployments: dict[str, Any] = {}
        self.cursors: dict[str, list[dict[str, Any]]] = {}
        """The rows of queries with more than a page."""
        for one in standard_objects(person_accounts=self.settings.person_accounts):
            self.objects[one.name.lower()] = one
        self.id = make_id(PREFIXES["Organization"], 1)
        user = {"Username": self.settings.username, "Name": "Integration", "Email": self.settings.username}
        self.user_id = self.insert(self.objects["user"], user).id
        if self.settings.person_accounts:
            kind = {"Name": "Person Account", "DeveloperName": "PersonAccount", "SobjectType": "Account"}
            self.insert(self.objects["recordtype"], kind)

    def change(self, **settings: object) -> None:
        """Change settings of a running org, until the next reset."""
        self.settings = replace(self.settings, **settings)  # type: ignore[arg-type]  # names are checked by replace
        self.sessions.settings = self.settings
        self.allowance.most = self.settings.daily

    def kind(self, name: str) -> ObjectType:
        """Return an object by its name, whose case does not matter.

        :raises ApiError: 404 if there is none, or the user may not see it.
        """
        kind = self.objects.get(name.lower())
        if kind is None or (kind.custom and (kind.name, "") not in self.granted):
            raise not_found()
        return kind

    def column(self, kind: ObjectType, name: str) -> Field | None:
        """Return a field that the user may see."""
        one = kind.field(name)
        hidden = one is not None and one.custom and (kind.name, one.name) not in self.granted
        return None if hidden else one

    def columns(self, kind: ObjectType) -> list[Field]:
        """Return the fields that the user may see."""
        return [one for one in kind.fields.values() if self.column(kind, one.name)]

    def grant(self) -> None:
        """Let the integration user see what the permission sets grant that are assigned to it."""
        sets = self.objects["permissionset"].records
        assigned = [one.values for one in self.objects["permissionsetassignment"].live()]
        names = [
            sets[one["PermissionSetId"]].values["Name"]
            for one in assigned
            if one["AssigneeId"] == self.user_id
        ]
        self.granted = {grant for name in names for grant in self.grants.get(name, ())}

    def record(self, record_id: str) -> Record | None:
        """Return a record by its id, whatever it is of; one that was purged is none."""
        found = (kind.records[record_id] for kind in self.objects.values() if record_id in kind.records)
        return next(found, None)

    def next_id(self, prefix: str) -> str:
        """Return a new id; ids have gaps, as Salesforce's have."""
        self._number += 7
        return make_id(prefix, self._number)

    def insert(self, kind: ObjectType, values: dict[str, Any]) -> Record:
        """Store a new record as it is."""
        now = self.clock.now()
        record = Record(id=self.next_id(kind.prefix), kind=kind.name, created=now, modified=now)
        kind.put(record, values)
        self._undoable(lambda: kind.remove(record))
        return record

    def store(self, record: Record, values: dict[str, Any]) -> None:
        """Store other values of a record."""
        kind, before, modified = self.objects[record.kind.lower()], dict(record.values), record.modified
        kind.put(record, values)
        record.modified = self.clock.now()

        def undo() -> None:
            kind.put(record, before)
            record.modified = modified

        self._undoable(undo)

    def delete(self, record: Record) -> None:
        """Put a record into the recycle bin."""
        record.deleted = True
        self._undoable(lambda: setattr(record, "deleted", False))

    @contextmanager
    def all_or_none(self) -> Iterator[Callable[[], None]]:
        """Give a function that takes back what was written since."""
        outer, self._undo = self._undo, []

        def roll_back() -> None:
            for undo in reversed(self._undo or []):
                undo()
            self._undo = []

        try:
            yield roll_back
        finally:
            done, self._undo = self._undo or [], outer
            if outer is not None:
                outer.extend(done)

    def _undoable(self, undo: Callable[[], None]) -> None:
        if self._undo is not None:
            self._undo.append(undo)
