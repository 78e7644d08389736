"""Writing records: what an org looks at before it takes one, and the answer about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatferry_salesforce.emulator.duplicates import check_duplicates
from chatferry_salesforce.emulator.errors import NoSuchColumn, RecordError
from chatferry_salesforce.emulator.faults import RECORDS, record_error
from chatferry_salesforce.emulator.fields import Field
from chatferry_salesforce.emulator.links import link
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.person_accounts import keep_person, refuse_person_contact
from chatferry_salesforce.emulator.tables import ObjectType, Record
from chatferry_salesforce.emulator.values import accept

Strike = Callable[[str], bool]
"""Whether the fault of a name strikes the record that is being written."""


def no_fault(_name: str) -> bool:
    """Let no fault strike."""
    return False


class Writer:
    """Writes the records of one request."""

    def __init__(
        self, org: Org, *, headers: Mapping[str, str] | None = None, strikes: Strike = no_fault
    ) -> None:
        self._org = org
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._strikes = strikes

    def create(self, kind: ObjectType, given: Mapping[str, Any]) -> Record:
        """Make a record.

        :raises RecordError: if the org does not take it.
        """
        self._struck()
        values = self._accepted(kind, given, None)
        defaults = {one.name: one.default for one in kind.fields.values() if one.default is not None}
        values = {**defaults, **{name: value for name, value in values.items() if value is not None}}
        self._require(kind, values)
        self._check(kind, None, values)
        if kind.field("OwnerId") is not None:
            values.setdefault("OwnerId", self._org.user_id)
        record = self._org.insert(kind, values)
        keep_person(self._org, record)
        if kind.name == "PermissionSetAssignment":
            self._org.grant()
        return record

    def update(self, record: Record, given: Mapping[str, Any]) -> None:
        """Change a record.

        :raises RecordError: if the org does not take it.
        """
        kind = self._org.objects[record.kind.lower()]
        self._struck()
        if record.deleted:
            raise RecordError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        if record.values.get("IsConverted"):
            raise RecordError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        refuse_person_contact(record)
        values = {**record.values, **self._accepted(kind, given, record)}
        self._require(kind, values)
        self._check(kind, record, values)
        self._org.store(record, values)
        keep_person(self._org, record)

    def upsert(
        self, kind: ObjectType, key: Field, value: Any, given: Mapping[str, Any], *, update_only: bool = False
    ) -> tuple[Record, bool]:
        """Change the record that has a key, or make it; say whether it is new.

        :raises RecordError: if the org does not take it.
        """
        if value is None or not str(value).strip():
            raise RecordError("MISSING_ARGUMENT", f"{key.name} not specified", [key.name])
        if key.type == "id":
            found = [one for one in [kind.records.get(str(value))] if one]
        else:
            found = kind.find(key.name, str(value).strip())
        usable = [one for one in found if not one.deleted]
        if len(usable) > 1:
            raise RecordError("DUPLICATE_EXTERNAL_ID", f"{key.name}: more than one record found", status=300)
        if usable:
            self.update(usable[0], given)
            return usable[0], False
        if found and self._org.settings.deleted_key == "error":
            raise RecordError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        if update_only or key.type == "id":
            raise RecordError("NOT_FOUND", "The requested resource does not exist", status=404)
        return self.create(kind, {**given, key.name: value}), True

    def delete(self, record: Record) -> None:
        """Put a record into the recycle bin.

        :raises RecordError: if it is there already.
        """
        if record.deleted:
            raise RecordError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        self._org.delete(record)

    def _accepted(self, kind: ObjectType, given: Mapping[str, Any], record: Record | None) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name.lower() in {"attributes", "id"}:
                continue
            if isinstance(value, Mapping):
                one, value = link(self._org, kind, name, value)  # noqa: PLW2901  (the id in its place)
            else:
                found = self._org.column(kind, name)
                if found is None:
                    raise NoSuchColumn(name, kind.name)
                one = found
            if not one.writeable:
                message = f"Unable to create/update fields: {one.name}. Please check the security settings"
                raise RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", message, [one.name])
            values[one.name] = accept(one, value, newline_units=self._org.settings.newline_units)
            if one.type == "reference" and values[one.name] is not None:
                self._refer(one, values[one.name], record)
        return values

    def _refer(self, one: Field, target_id: str, record: Record | None) -> None:
        """Check the record that a lookup names."""
        target = self._org.record(target_id)
        if target is None or target.deleted or target.kind not in one.reference_to:
            raise RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [one.name])
        unchanged = record is not None and record.values.get(one.name) == target_id
        refuses = self._org.settings.converted_links == "refused"
        if target.values.get("IsConverted") and refuses and not unchanged:
            raise RecordError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [one.name])

    def _require(self, kind: ObjectType, values: Mapping[str, Any]) -> None:
        missing = [one.name for one in kind.fields.values() if one.required and values.get(one.name) is None]
        if kind.name == "Account" and values.get("LastName"):
            missing = [name for name in missing if name != "Name"]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise RecordError("REQUIRED_FIELD_MISSING", message, missing)
        lead = self._org.record(values["WhoId"]) if kind.name == "Task" and values.get("WhoId") else None
        if lead is not None and lead.kind == "Lead" and values.get("WhatId"):
            raise RecordError(
                "FIELD_INTEGRITY_EXCEPTION", "cannot have a WhatId together with a lead", ["WhatId"]
            )

    def _check(self, kind: ObjectType, record: Record | None, values: Mapping[str, Any]) -> None:
        """Look for other records that hold a value that must be unique, or the same address."""
        for one in kind.fields.values():
            if one.unique and values.get(one.name) is not None:
                others = [each for each in kind.find(one.name, values[one.name]) if each is not record]
                if any(not each.deleted for each in others):
                    message = f"duplicate value found: {one.name} duplicates value on record with id"
                    raise RecordError("DUPLICATE_VALUE", f"{message}: {others[0].id}", [one.name])
        check_duplicates(self._org, kind, record, values, self._headers)

    def _struck(self) -> None:
        for name in RECORDS:
            if self._strikes(name):
                raise record_error(name)
