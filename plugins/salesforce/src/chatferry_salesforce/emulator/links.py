"""Lookups that name the other record by its external id: ``"Lead__r": {"Chat_Visitor_Id__c": "web:42"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatferry_salesforce.emulator.errors import NoSuchColumn, RecordError
from chatferry_salesforce.emulator.fields import Field
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.tables import ObjectType


def link(org: Org, kind: ObjectType, name: str, given: Mapping[str, Any]) -> tuple[Field, str]:
    """Return the lookup that a nested object stands for, and the id of the record it names.

    :raises RecordError: if there is no such lookup, or no such record.
    """
    one = next(
        (
            each
            for each in org.columns(kind)
            if each.relationship is not None and each.relationship.lower() == name.lower()
        ),
        None,
    )
    if one is None:
        raise NoSuchColumn(name, kind.name)
    wanted = {key: value for key, value in given.items() if key != "attributes"}
    target = _target(org, one, given)
    if len(wanted) != 1:
        raise RecordError("INVALID_FIELD", f"{name}: exactly one external id is expected", [one.name])
    ((key, value),) = wanted.items()
    column = org.column(target, key)
    if column is None or not column.is_lookup:
        raise NoSuchColumn(key, target.name)
    found = [each for each in target.find(column.name, value) if not each.deleted]
    if not found:
        message = (
            f"Foreign key external ID: {value} not found for field {column.name} in entity {target.name}"
        )
        raise RecordError("INVALID_FIELD", message)
    return one, found[0].id


def _target(org: Org, one: Field, given: Mapping[str, Any]) -> ObjectType:
    """Return the object that is meant: one of several has to be said."""
    attributes = given.get("attributes")
    said = attributes.get("type") if isinstance(attributes, Mapping) else None
    if said is None and len(one.reference_to) > 1:
        message = f"{one.relationship}: the type of a polymorphic relationship must be given in attributes"
        raise RecordError("INVALID_FIELD", message, [one.name])
    name = str(said or one.reference_to[0])
    if name not in one.reference_to:
        raise NoSuchColumn(str(one.relationship), name)
    return org.kind(name)
