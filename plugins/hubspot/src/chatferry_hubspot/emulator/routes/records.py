"""``…/{objectType}`` and ``…/{objectType}/{id}``: one record a call, lists, search, merge, GDPR delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from chatferry_hubspot.emulator.body import arguments, json_object, number, properties_of, text
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.errors import ApiError, invalid, not_found
from chatferry_hubspot.emulator.links import End
from chatferry_hubspot.emulator.records import Record
from chatferry_hubspot.emulator.searching import search_records
from chatferry_hubspot.emulator.serving import account, kind_for
from chatferry_hubspot.emulator.writes import Writer

PAGE = 100


def requested_links(kind: ObjectType, entry: Mapping[str, Any]) -> list[End]:
    """Return the records that a new record is to be linked to.

    :raises ApiError: if one is not there, or its type can not be linked.
    """
    ends = []
    for asked in entry.get("associations") or ():
        to_id = text(asked.get("to") or {}, "id")
        specs = asked.get("types")
        wanted = specs[0].get("associationTypeId") if isinstance(specs, list) and specs else None
        for other in account().types.values():
            link = account().links.types.get((kind.type_id, other.type_id))
            if link is not None and link.type_id == wanted:
                account().links.chosen(kind.type_id, other.type_id, specs)
                if other.table.live(to_id) is None:
                    raise ApiError(400, "VALIDATION_ERROR", f"Object {to_id} to associate does not exist")
                ends.append((other.type_id, to_id))
                break
        else:
            raise invalid(f"{wanted} is not a valid association type of {kind.type_id}")
    return ends


def _wanted(kind: ObjectType) -> set[str]:
    return {*(arguments("properties") or kind.shown), *kind.system}


def _with_links(kind: ObjectType, record: Record, answer: dict[str, Any]) -> dict[str, Any]:
    """Add the links a read asks for with ``associations=``."""
    for name in arguments("associations"):
        other = account().kind(name)
        ids = account().links.of((kind.type_id, record.id), other.type_id)
        link = account().links.default(kind.type_id, other.type_id)
        found = [{"id": one, "type": link.name} for one in ids]
        if found:
            answer.setdefault("associations", {})[other.name] = {"results": found}
    return answer


def create(kind: str) -> ResponseReturnValue:
    """Create a record, with associations if asked for."""
    found = kind_for(kind, "write")
    body = json_object()
    values = properties_of(body)
    ends = requested_links(found, body)
    record = Writer(account(), found).create(values)
    for end in ends:
        account().links.add((found.type_id, record.id), end)
    return jsonify(record.to_json({*values, *found.system})), 201


def read(kind: str, record_id: str) -> ResponseReturnValue:
    """Read a record by id, or with ``idProperty`` by a unique property."""
    found = kind_for(kind, "read")
    if request.args.get("archived") == "true":
        record = found.table.records.get(record_id)
        if record is None or not record.archived:
            raise not_found(found.singular)
    else:
        record = Writer(account(), found).find(record_id, request.args.get("idProperty"))
    return jsonify(_with_links(found, record, record.to_json(_wanted(found))))


def update(kind: str, record_id: str) -> ResponseReturnValue:
    """Change properties of a record."""
    found = kind_for(kind, "write")
    values, writer = properties_of(json_object()), Writer(account(), found)
    record = writer.update(writer.find(record_id, request.args.get("idProperty")), values)
    return jsonify(record.to_json({*values, *found.system}))


def archive(kind: str, record_id: str) -> ResponseReturnValue:
    """Archive a record; an unknown id is ignored."""
    found = kind_for(kind, "write")
    record = found.table.live(record_id)
    if record is not None:
        Writer(account(), found).archive(record)
    return "", 204


def listed(kind: str) -> ResponseReturnValue:
    """List records by id, a page at a time."""
    found = kind_for(kind, "read")
    limit = number(request.args.get("limit"), "limit", default=10, most=PAGE)
    after = int(request.args.get("after") or 0) if (request.args.get("after") or "0").isdigit() else 0
    archived = request.args.get("archived") == "true"
    records = [
        one for one in found.table.records.values() if one.archived == archived and one.merged_into is None
    ]
    records = sorted((one for one in records if int(one.id) > after), key=lambda one: int(one.id))
    shown = records[:limit]
    wanted = _wanted(found)
    body: dict[str, Any] = {"results": [_with_links(found, one, one.to_json(wanted)) for one in shown]}
    if len(records) > limit:
        last = shown[-1].id
        body["paging"] = {"next": {"after": last, "link": f"{request.base_url}?limit={limit}&after={last}"}}
    return jsonify(body)


def search(kind: str) -> ResponseReturnValue:
    """Find records by filters; recent writes are not found yet (eventual consistency)."""
    found = kind_for(kind, "read")
    seen = found.table.as_of(account().clock.now() - account().settings.search_lag)
    return jsonify(search_records(found, seen.values(), json_object()))


def merge(kind: str) -> ResponseReturnValue:
    """Merge a contact into another."""
    found = kind_for(kind, "write")
    if found.name != "contacts":
        raise ApiError(400, "VALIDATION_ERROR", f"Records of {found.name} can not be merged here")
    body, writer = json_object(), Writer(account(), found)
    primary = writer.find(text(body, "primaryObjectId"))
    record = writer.merge(primary, writer.find(text(body, "objectIdToMerge")))
    return jsonify(record.to_json({name for name, value in record.properties.items() if value}))


def gdpr_delete(kind: str) -> ResponseReturnValue:
    """Delete a contact and its links permanently."""
    found = kind_for(kind, "write")
    body = json_object()
    record_id, id_property = text(body, "objectId"), body.get("idProperty")
    if id_property:
        record = found.table.find(Writer(account(), found).unique(id_property), record_id)
    else:
        record = found.table.records.get(record_id)
    if record is not None:
        Writer(account(), found).purge(record)
    return "", 204


ROUTES = (
    ("GET", "/<kind>", listed),
    ("POST", "/<kind>", create),
    ("POST", "/<kind>/search", search),
    ("POST", "/<kind>/merge", merge),
    ("POST", "/<kind>/gdpr-delete", gdpr_delete),
    ("GET", "/<kind>/<record_id>", read),
    ("PATCH", "/<kind>/<record_id>", update),
    ("DELETE", "/<kind>/<record_id>", archive),
)
