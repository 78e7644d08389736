"""Create, update, upsert, archive and merge single records, by HubSpot's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chatferry.emulators.clock import timestamp
from chatferry_hubspot.emulator.account import Account
from chatferry_hubspot.emulator.catalogue import STAGES, ObjectType
from chatferry_hubspot.emulator.errors import (
    ApiError,
    Problem,
    contact_exists,
    invalid,
    invalid_values,
    not_found,
)
from chatferry_hubspot.emulator.records import Record, unique_key
from chatferry_hubspot.emulator.values import normalise

Values = Mapping[str, str]


class Writer:
    """Writes records of one object type."""

    def __init__(self, account: Account, kind: ObjectType) -> None:
        self._account = account
        self._kind = kind
        self._table = kind.table

    def find(self, record_id: str, id_property: str | None = None) -> Record:
        """Return a live record by its id, or by the value of a unique property.

        :raises ApiError: 404 if it is not there, 400 if the property is not unique.
        """
        if id_property in {None, "", "hs_object_id"}:
            found = self._table.live(record_id)
        else:
            found = self._table.find(self.unique(id_property), record_id)
        if found is None:
            raise not_found(self._kind.singular)
        return found

    def unique(self, name: str | None) -> str:
        """Return the name of a unique property.

        :raises ApiError: 400 if it is not one.
        """
        if name is None or name not in self._table.unique_names:
            raise invalid(
                f"Unable to perform update/upsert by non-unique {self._kind.type_id} property {name}"
            )
        return name

    def create(self, values: Values) -> Record:
        """Make a record."""
        clean = self._clean(values)
        missing = [name for name in self._kind.required if not clean.get(name)]
        if missing:
            message = f"Error creating {self._kind.singular.upper()}. Some required properties were not set."
            raise ApiError(400, "VALIDATION_ERROR", message, context={"properties": missing})
        self._refuse_conflicts(clean, None)
        now = self._account.clock.now()
        record = Record(id=self._account.next_id(), properties={}, created=now, updated=now, new=True)
        return self._store(record, clean)

    def update(self, record: Record, values: Values) -> Record:
        """Change properties of a record; ``""`` clears one."""
        clean = self._clean(values)
        self._refuse_conflicts(clean, record)
        self._hold_lifecycle(record, clean)
        cleared = [name for name in self._kind.required if clean.get(name, "set") == ""]
        if cleared:
            message = f"Required properties of {self._kind.singular.upper()} can not be cleared."
            raise ApiError(400, "VALIDATION_ERROR", message, context={"properties": cleared})
        clean |= _displaced(record, clean)
        return self._store(replace(record, updated=self._account.clock.now(), new=False), clean)

    def upsert(self, entry: Mapping[str, Any]) -> Record:
        """Create or update by a unique property.

        By e-mail the whole set of properties is expected, the e-mail included (HubSpot docs, 'Contacts':
        partial upserts are not supported by e-mail). By another property a contact that is known by its
        e-mail only is not found, so it would be created a second time: that is a 409.
        """
        name, values = self.unique(entry.get("idProperty")), entry["properties"]
        if name == "email" and not values.get("email"):
            message = "Partial upserts are not supported when using email as the idProperty"
            raise ApiError(400, "VALIDATION_ERROR", message, context={"propertyName": ["email"]})
        found = self._table.find(name, entry["id"])
        if found is not None:
            return self.update(found, values)
        return self.create({name: entry["id"], **values})

    def archive(self, record: Record) -> None:
        """Move a record to the recycling bin; its unique values are free again."""
        now = self._account.clock.now()
        self._table.put(replace(record, archived_at=now, updated=now), at=now)
        self._account.links.drop_all((self._kind.type_id, record.id))

    def purge(self, record: Record) -> None:
        """Delete a record, and those merged into it, permanently (HubSpot docs, 'GDPR delete')."""
        self._account.links.drop_all((self._kind.type_id, record.id))
        merged = [one.id for one in self._table.records.values() if one.merged_into == record.id]
        for record_id in (record.id, *merged):
            self._table.remove(record_id, at=self._account.clock.now())

    def merge(self, primary: Record, other: Record) -> Record:
        """Merge ``other`` into ``primary``, whose values win; the other's id and e-mail resolve to it."""
        if primary.id == other.id:
            raise invalid("A record can not be merged with itself")
        now = self._account.clock.now()
        self._table.put(replace(other, archived_at=now, merged_into=primary.id), at=now)
        self._account.links.move((self._kind.type_id, other.id), (self._kind.type_id, primary.id))
        filled = {**other.properties, **{name: value for name, value in primary.properties.items() if value}}
        mails = [
            primary.properties.get("hs_additional_emails", ""),
            other.properties.get("hs_additional_emails", ""),
            other.properties.get("email", "") if primary.properties.get("email") else "",
        ]
        merged = [primary.properties.get("hs_merged_object_ids", ""), other.id]
        filled["hs_additional_emails"] = ";".join(mail for mail in mails if mail)
        filled["hs_merged_object_ids"] = ";".join(one for one in merged if one)
        record = replace(primary, properties={}, updated=now, new=False)
        return self._store(record, filled)

    def _clean(self, values: Values) -> dict[str, str]:
        problems: list[Problem] = []
        clean: dict[str, str] = {}
        for name, value in values.items():
            stored = self._check(name, value)
            if isinstance(stored, Problem):
                problems.append(stored)
            else:
                clean[name] = stored
        if problems:
            raise invalid_values(problems)
        return clean

    def _check(self, name: str, value: str) -> str | Problem:
        definition = self._kind.properties.get(name)
        if definition is None:
            message = f'Property "{name}" does not exist'
            return Problem(name=name, code="PROPERTY_DOESNT_EXIST", message=message)
        if definition.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            return Problem(name=name, code="READ_ONLY_VALUE", message=message)
        return normalise(definition, value)

    def _refuse_conflicts(self, clean: Values, record: Record | None) -> None:
        for name in self._table.unique_names:
            owner = self._table.find(name, clean[name]) if clean.get(name) else None
            if owner is None or (record is not None and owner.id == record.id):
                continue
            if name == "email":
                raise contact_exists(owner.id, unique_key(name, clean[name]))
            message = f"Cannot set {name} to {clean[name]}. {owner.id} already has that value."
            raise invalid_values([Problem(name=name, code="CONFLICTING_UNIQUE_VALUE", message=message)])

    def _hold_lifecycle(self, record: Record, clean: dict[str, str]) -> None:
        """Keep the stage if the new one is earlier: it only moves forward, unless cleared first."""
        new, old = clean.get("lifecyclestage"), record.properties.get("lifecyclestage")
        if new in STAGES and old in STAGES and STAGES.index(new) < STAGES.index(old):
            del clean["lifecyclestage"]

    def _store(self, record: Record, clean: Values) -> Record:
        made, changed = self._kind.stamps
        properties = {
            **record.properties,
            **clean,
            "hs_object_id": record.id,
            made: timestamp(record.created),
            changed: timestamp(record.updated),
        }
        return self._table.put(replace(record, properties=properties), at=record.updated)


def _displaced(record: Record, clean: Values) -> dict[str, str]:
    """Return the further addresses of a contact one of which becomes its first: the two change places."""
    first, more = record.properties.get("email"), record.properties.get("hs_additional_emails", "").split(";")
    if not clean.get("email") or clean["email"] not in more:
        return {}
    kept = [address for address in more if address != clean["email"]]
    return {"hs_additional_emails": ";".join(filter(None, [*kept, first]))}
