"""Defining custom object types (HubSpot docs, 'Custom objects'): validate a schema and return its JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chatferry.emulators.clock import timestamp
from chatferry_hubspot.emulator.account import Account
from chatferry_hubspot.emulator.catalogue import ObjectType, system_properties
from chatferry_hubspot.emulator.errors import ApiError, invalid
from chatferry_hubspot.emulator.properties import UNIQUE_LIMIT, Property, read_property

TYPES_LIMIT = 10
REQUIRED = ("name", "labels", "requiredProperties", "associatedObjects", "properties")
DATED = ("searchableProperties", "secondaryDisplayProperties", "allowsSensitiveProperties")
"""What the dated versions require beside :data:`REQUIRED`."""
CHANGEABLE = (
    "labels",
    "description",
    "requiredProperties",
    "searchableProperties",
    "primaryDisplayProperty",
    "secondaryDisplayProperties",
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_STAMPS = ("hs_createdate", "hs_lastmodifieddate")


def define_type(account: Account, body: Mapping[str, Any], *, dated: bool) -> ObjectType:
    """Create a custom object type, with its associations to contacts and notes.

    :raises ApiError: if HubSpot would refuse it.
    """
    missing = [name for name in (*REQUIRED, *(DATED if dated else ())) if body.get(name) is None]
    if missing:
        raise invalid(f"Some required fields were not set: [{', '.join(missing)}]")
    name = _name(account, body["name"])
    properties = _properties(name, body["properties"])
    check_schema(body, properties)
    now = account.clock.now()
    kind = ObjectType(
        type_id=account.next_type(),
        name=name,
        singular=body["labels"]["singular"],
        plural=body["labels"]["plural"],
        fully_qualified_name=f"p{account.settings.portal_id}_{name}",
        properties={},
        groups={f"{name}_information": f"{body['labels']['singular']} information"},
        required=tuple(body["requiredProperties"]),
        schema=dict(body),
        created=now,
        updated=now,
    )
    for definition in [*system_properties(f"{name}_information", _STAMPS), *properties]:
        kind.add(definition)
    account.add_type(kind)
    _associate(account, kind, body["associatedObjects"])
    return kind


def _name(account: Account, name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid(
            "The name of an object type starts with a letter and holds lower case letters, digits and _"
        )
    if any(kind.name == name for kind in account.types.values()):
        raise ApiError(409, "OBJECT_ALREADY_EXISTS", f"An object type with the name {name} exists already")
    if len(account.custom_types) >= TYPES_LIMIT:
        raise invalid(f"The account has its {TYPES_LIMIT} custom object types")
    return name


def _properties(name: str, given: object) -> list[Property]:
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise invalid("properties must be a list of definitions")
    properties = [read_property(one, group=f"{name}_information") for one in given]
    names = [one.name for one in properties]
    if len(set(names)) != len(names):
        raise invalid("Two properties have the same name")
    if sum(one.unique for one in properties) > UNIQUE_LIMIT:
        raise invalid(f"An object has at most {UNIQUE_LIMIT} properties with unique values")
    return properties


def check_schema(body: Mapping[str, Any], properties: Sequence[Property]) -> None:
    """Check that labels are there and that every property a schema names is defined.

    :raises ApiError: naming what is not.
    """
    labels = body.get("labels")
    if labels is not None and not (
        isinstance(labels, Mapping) and labels.get("singular") and labels.get("plural")
    ):
        raise invalid("labels needs singular and plural")
    known = {one.name for one in properties}
    named = [
        *(body.get("requiredProperties") or ()),
        *(body.get("searchableProperties") or ()),
        *(body.get("secondaryDisplayProperties") or ()),
        *filter(None, [body.get("primaryDisplayProperty")]),
    ]
    unknown = [name for name in named if name not in known]
    if unknown:
        raise invalid(f"The schema names properties it does not define: [{', '.join(map(str, unknown))}]")


def _associate(account: Account, kind: ObjectType, asked: Sequence[str]) -> None:
    """Allow links to notes, which every custom type has, and to the types asked for."""
    account.links.define(kind.type_id, "0-46", name=f"{kind.name}_to_note")
    for name in asked:
        other = account.kind(str(name).lower())
        account.links.define(kind.type_id, other.type_id, name=f"{kind.name}_to_{other.singular.lower()}")


def schema_json(account: Account, kind: ObjectType) -> dict[str, Any]:
    """Return a custom type as the schemas API writes it."""
    schema = kind.schema or {}
    return {
        "id": kind.type_id.removeprefix("2-"),
        "objectTypeId": kind.type_id,
        "fullyQualifiedName": kind.fully_qualified_name,
        "name": kind.name,
        "labels": {"singular": kind.singular, "plural": kind.plural},
        "description": schema.get("description"),
        "primaryDisplayProperty": schema.get("primaryDisplayProperty"),
        "secondaryDisplayProperties": schema.get("secondaryDisplayProperties") or [],
        "searchableProperties": schema.get("searchableProperties") or [],
        "requiredProperties": list(kind.required),
        "allowsSensitiveProperties": bool(schema.get("allowsSensitiveProperties")),
        "properties": [one.to_json() for one in kind.properties.values()],
        "associations": associations_json(account, kind),
        "createdAt": timestamp(kind.created),
        "updatedAt": timestamp(kind.updated),
        "archived": False,
    }


def associations_json(account: Account, kind: ObjectType) -> list[dict[str, Any]]:
    """Return the association types that start or end at a type."""
    return [
        {
            "id": str(link.type_id),
            "name": link.name,
            "fromObjectTypeId": link.from_type,
            "toObjectTypeId": link.to_type,
        }
        for link in account.links.types.values()
        if kind.type_id in {link.from_type, link.to_type}
    ]
