"""Definitions of properties and of their groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from chatferry_hubspot.emulator.batches import Outcome
from chatferry_hubspot.emulator.body import inputs, json_object, text
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.errors import ApiError, invalid
from chatferry_hubspot.emulator.properties import UNIQUE_LIMIT, Property, change_property, read_property
from chatferry_hubspot.emulator.serving import account, require

LIMIT = 100


def _kind(name: str, action: str) -> ObjectType:
    """Return an object type; the scope to read its records includes its definitions."""
    kind = account().kind(name)
    require(*([kind.schema_scope("write")] if action == "write" else _readers(kind)))
    return kind


def _readers(kind: ObjectType) -> list[str]:
    return [kind.schema_scope("read"), kind.scope("read")]


def _find(kind: ObjectType, name: str) -> Property:
    found = kind.properties.get(name)
    if found is None:
        message = f"Property {name} does not exist for {kind.type_id}"
        raise ApiError(404, "OBJECT_NOT_FOUND", message, subCategory="Properties.PROPERTY_NOT_FOUND")
    return found


def _define(kind: ObjectType, body: Mapping[str, Any]) -> Property:
    definition = read_property(body)
    if definition.name in kind.properties:
        message = f"Property {definition.name} already exists for {kind.type_id}"
        raise ApiError(
            409, "OBJECT_ALREADY_EXISTS", message, subCategory="Properties.PROPERTY_WITH_NAME_EXISTS"
        )
    if definition.group_name not in kind.groups:
        raise invalid(f"Property group {definition.group_name} does not exist")
    unique = [one for one in kind.properties.values() if one.unique]
    if definition.unique and len(unique) >= UNIQUE_LIMIT:
        raise invalid(f"An object has at most {UNIQUE_LIMIT} properties with unique values")
    kind.add(definition)
    return definition


def listed(kind: str) -> ResponseReturnValue:
    """List all properties."""
    return jsonify(results=[one.to_json() for one in _kind(kind, "read").properties.values()])


def create(kind: str) -> ResponseReturnValue:
    """Define a property."""
    return jsonify(_define(_kind(kind, "write"), json_object()).to_json()), 201


def read(kind: str, name: str) -> ResponseReturnValue:
    """Return a property."""
    return jsonify(_find(_kind(kind, "read"), name).to_json())


def update(kind: str, name: str) -> ResponseReturnValue:
    """Change a property."""
    found = _kind(kind, "write")
    found.properties[name] = change_property(_find(found, name), json_object())
    return jsonify(found.properties[name].to_json())


def archive(kind: str, name: str) -> ResponseReturnValue:
    """Archive a property; HubSpot's own cannot be archived."""
    found = _kind(kind, "write")
    if _find(found, name).hubspot_defined:
        raise invalid(f"{name} is defined by HubSpot")
    found.remove(name)
    return "", 204


def batch_create(kind: str) -> ResponseReturnValue:
    """Define up to 100 properties; each succeeds or fails by itself."""
    found, outcome = _kind(kind, "write"), Outcome()
    for entry in inputs(LIMIT):
        try:
            outcome.results.append(_define(found, entry).to_json())
        except ApiError as error:
            outcome.errors.append(error.entry({"name": [str(entry.get("name"))]}))
    return outcome.answer(201)


def batch_read(kind: str) -> ResponseReturnValue:
    """Return up to 100 properties."""
    found, outcome = _kind(kind, "read"), Outcome()
    for entry in inputs(LIMIT):
        name = text(entry, "name")
        try:
            outcome.results.append(_find(found, name).to_json())
        except ApiError as error:
            outcome.errors.append(error.entry({"name": [name]}))
    return outcome.answer()


def groups(kind: str) -> ResponseReturnValue:
    """List the groups of properties."""
    found = _kind(kind, "read")
    return jsonify(results=[_group(name, label) for name, label in found.groups.items()])


def create_group(kind: str) -> ResponseReturnValue:
    """Create a group of properties."""
    found, body = _kind(kind, "write"), json_object()
    name = text(body, "name")
    if name in found.groups:
        raise ApiError(409, "OBJECT_ALREADY_EXISTS", f"Property group {name} already exists")
    found.groups[name] = text(body, "label")
    return jsonify(_group(name, found.groups[name])), 201


def _group(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}


ROUTES = (
    ("GET", "/<kind>", listed),
    ("POST", "/<kind>", create),
    ("POST", "/<kind>/batch/create", batch_create),
    ("POST", "/<kind>/batch/read", batch_read),
    ("GET", "/<kind>/groups", groups),
    ("POST", "/<kind>/groups", create_group),
    ("GET", "/<kind>/<name>", read),
    ("PATCH", "/<kind>/<name>", update),
    ("DELETE", "/<kind>/<name>", archive),
)
