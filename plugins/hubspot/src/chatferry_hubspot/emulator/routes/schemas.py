"""Custom object types, for plans that have them."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from chatferry_hubspot.emulator.body import json_object
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.definitions import (
    CHANGEABLE,
    associations_json,
    check_schema,
    define_type,
    schema_json,
)
from chatferry_hubspot.emulator.errors import ApiError, invalid
from chatferry_hubspot.emulator.serving import account, require

WRITE = "crm.schemas.custom.write"
READ = ("crm.schemas.custom.read", "crm.objects.custom.read")


def _find(name: str) -> ObjectType:
    for kind in account().custom_types:
        if kind.answers_to(name):
            return kind
    raise ApiError(404, "OBJECT_NOT_FOUND", f"Object type {name} does not exist")


def listed() -> ResponseReturnValue:
    """List the custom object types."""
    require(*READ)
    return jsonify(results=[schema_json(account(), kind) for kind in account().custom_types])


def create() -> ResponseReturnValue:
    """Define a custom object type."""
    require(WRITE)
    dated = "/v3/" not in request.path
    return jsonify(schema_json(account(), define_type(account(), json_object(), dated=dated))), 201


def read(kind: str) -> ResponseReturnValue:
    """Return a custom object type."""
    require(*READ)
    return jsonify(schema_json(account(), _find(kind)))


def update(kind: str) -> ResponseReturnValue:
    """Change a custom object type; its name stays."""
    require(WRITE)
    found, body = _find(kind), json_object()
    check_schema(body, list(found.properties.values()))
    found.schema = {**(found.schema or {}), **{key: body[key] for key in CHANGEABLE if key in body}}
    if "labels" in body:
        found.singular, found.plural = body["labels"]["singular"], body["labels"]["plural"]
    found.required = tuple(found.schema.get("requiredProperties") or ())
    found.updated = account().clock.now()
    return jsonify(schema_json(account(), found))


def archive(kind: str) -> ResponseReturnValue:
    """Archive a custom object type; it must have no records."""
    require(WRITE)
    found = _find(kind)
    if any(not record.archived for record in found.table.records.values()):
        raise invalid(f"Object type {found.name} still has records")
    del account().types[found.type_id]
    return "", 204


def associate(kind: str) -> ResponseReturnValue:
    """Allow links from a custom type to another."""
    require(WRITE)
    found, body = _find(kind), json_object()
    other = account().kind(str(body.get("toObjectTypeId", "")).lower())
    name = body.get("name") or f"{found.name}_to_{other.singular.lower()}"
    link = account().links.define(found.type_id, other.type_id, name=name)
    listing = associations_json(account(), found)
    return jsonify(next(one for one in listing if one["id"] == str(link.type_id))), 201


ROUTES = (
    ("GET", "", listed),
    ("POST", "", create),
    ("GET", "/<kind>", read),
    ("PATCH", "/<kind>", update),
    ("DELETE", "/<kind>", archive),
    ("POST", "/<kind>/associations", associate),
)
