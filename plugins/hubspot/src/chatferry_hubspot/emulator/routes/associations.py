"""Links between records: batches under ``/crm/associations``, single ones under ``/crm/objects``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from chatferry_hubspot.emulator.batches import Outcome
from chatferry_hubspot.emulator.body import inputs, number, text
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.errors import ApiError, invalid, not_found
from chatferry_hubspot.emulator.links import LinkType
from chatferry_hubspot.emulator.serving import account, kind_for

CREATE_LIMIT, READ_LIMIT, ARCHIVE_LIMIT = 2_000, 1_000, 100
PAGE = 500
"""Linked records in a page."""
Entry = Mapping[str, Any]


def _id(entry: Entry, end: str) -> str:
    given = entry.get(end)
    if not isinstance(given, Mapping):
        raise invalid(f"Some required fields were not set: [{end}]")
    return text(given, "id")


def _live(kind: ObjectType, record_id: str) -> str:
    """Return the id of a record; a merged one resolves to the record it was merged into."""
    record = kind.table.live(record_id)
    if record is None:
        raise not_found(kind.singular, [record_id])
    return record.id


def _link(one: ObjectType, from_id: str, other: ObjectType, to_id: str) -> None:
    ends = (one.type_id, _live(one, from_id)), (other.type_id, _live(other, to_id))
    account().links.add(*ends)


def _default(link: LinkType, from_id: str, to_id: str) -> dict[str, Any]:
    return {"from": {"id": from_id}, "to": {"id": to_id}, "associationSpec": link.spec()}


def _labels(link: LinkType, from_id: str, to_id: str) -> dict[str, Any]:
    return {
        "fromObjectTypeId": link.from_type,
        "fromObjectId": from_id,
        "toObjectTypeId": link.to_type,
        "toObjectId": to_id,
        "labels": [],
    }


def _batch(
    kind: str,
    other: str,
    link_of: Callable[[ObjectType, ObjectType, Entry], LinkType],
    shape: Callable[[LinkType, str, str], dict[str, Any]],
) -> Outcome:
    one, another = kind_for(kind, "write"), kind_for(other, "write")
    outcome = Outcome()
    for entry in inputs(CREATE_LIMIT):
        from_id, to_id = _id(entry, "from"), _id(entry, "to")
        link = link_of(one, another, entry)
        try:
            _link(one, from_id, another, to_id)
        except ApiError as error:
            outcome.errors.append(error.entry({"fromObjectId": [from_id], "toObjectId": [to_id]}))
        else:
            outcome.results.append(shape(link, from_id, to_id))
    return outcome


def associate_default(kind: str, other: str) -> ResponseReturnValue:
    """Link by the default type; doing it again changes nothing."""

    def link_of(one: ObjectType, another: ObjectType, _: Entry) -> LinkType:
        return account().links.default(one.type_id, another.type_id)

    return _batch(kind, other, link_of, _default).answer()


def create(kind: str, other: str) -> ResponseReturnValue:
    """Link by the types each input names."""

    def link_of(one: ObjectType, another: ObjectType, entry: Entry) -> LinkType:
        return account().links.chosen(one.type_id, another.type_id, entry.get("types"))

    return _batch(kind, other, link_of, _labels).answer(201)


def read(kind: str, other: str) -> ResponseReturnValue:
    """Return what each record is linked to; one without links is an error in a 207."""
    one, another = kind_for(kind, "read"), kind_for(other, "read")
    link = account().links.default(one.type_id, another.type_id)
    outcome = Outcome()
    for entry in inputs(READ_LIMIT):
        record_id = text(entry, "id")
        record = one.table.live(record_id)
        linked = [] if record is None else account().links.of((one.type_id, record.id), another.type_id)
        if linked:
            page = _page(link, linked, entry.get("after"), PAGE)
            outcome.results.append({"from": {"id": record_id}, "to": page.pop("results"), **page})
        else:
            message = f"No {another.singular.lower()} is associated with {one.singular.lower()} {record_id}."
            outcome.errors.append(_unlinked(message).entry({"fromObjectId": [record_id]}))
    return outcome.answer()


def _page(link: LinkType, linked: Sequence[str], after: object, limit: int) -> dict[str, Any]:
    """Return a page of the linked records, with the cursor of the next page if there is one."""
    start = int(str(after)) if str(after).isdigit() else 0
    shown = linked[start : start + limit]
    page: dict[str, Any] = {
        "results": [{"toObjectId": to_id, "associationTypes": [link.label()]} for to_id in shown]
    }
    if start + limit < len(linked):
        page["paging"] = {"next": {"after": str(start + limit)}}
    return page


def _unlinked(message: str) -> ApiError:
    return ApiError(404, "OBJECT_NOT_FOUND", message, subCategory="crm.associations.NO_ASSOCIATIONS_FOUND")


def archive(kind: str, other: str) -> ResponseReturnValue:
    """Unlink; what is not linked is ignored."""
    one, another = kind_for(kind, "write"), kind_for(other, "write")
    entries = inputs(CREATE_LIMIT)
    if len({_id(entry, "from") for entry in entries}) > ARCHIVE_LIMIT:
        raise invalid(f"A batch has at most {ARCHIVE_LIMIT} distinct from objects")
    for entry in entries:
        targets = entry.get("to")
        for target in targets if isinstance(targets, list) else [targets or {}]:
            ends = (one.type_id, _id(entry, "from")), (another.type_id, text(target, "id"))
            account().links.drop(*ends)
    return "", 204


def labels(kind: str, other: str) -> ResponseReturnValue:
    """List the association types of a pair."""
    one, another = kind_for(kind, "read"), kind_for(other, "read")
    return jsonify(results=[account().links.default(one.type_id, another.type_id).label()])


def single_default(kind: str, record_id: str, other: str, other_id: str) -> ResponseReturnValue:
    """Link two records by the default type."""
    one, another = kind_for(kind, "write"), kind_for(other, "write")
    link = account().links.default(one.type_id, another.type_id)
    _link(one, record_id, another, other_id)
    return Outcome(results=[_default(link, record_id, other_id)]).answer()


def single_create(kind: str, record_id: str, other: str, other_id: str) -> ResponseReturnValue:
    """Link two records by the types of the body, which is a list."""
    one, another = kind_for(kind, "write"), kind_for(other, "write")
    link = account().links.chosen(one.type_id, another.type_id, request.get_json(silent=True))
    _link(one, record_id, another, other_id)
    return jsonify(_labels(link, record_id, other_id)), 201


def single_archive(kind: str, record_id: str, other: str, other_id: str) -> ResponseReturnValue:
    """Unlink two records."""
    one, another = kind_for(kind, "write"), kind_for(other, "write")
    account().links.drop((one.type_id, record_id), (another.type_id, other_id))
    return "", 204


def single_read(kind: str, record_id: str, other: str) -> ResponseReturnValue:
    """List what a record is linked to."""
    one, another = kind_for(kind, "read"), kind_for(other, "read")
    link = account().links.default(one.type_id, another.type_id)
    limit = number(request.args.get("limit"), "limit", default=PAGE, most=PAGE)
    linked = account().links.of((one.type_id, _live(one, record_id)), another.type_id)
    return jsonify(_page(link, linked, request.args.get("after"), limit))


BATCHES = (
    ("POST", "/<kind>/<other>/batch/associate/default", associate_default),
    ("POST", "/<kind>/<other>/batch/create", create),
    ("POST", "/<kind>/<other>/batch/read", read),
    ("POST", "/<kind>/<other>/batch/archive", archive),
    ("GET", "/<kind>/<other>/labels", labels),
)
SINGLES = (
    ("PUT", "/<kind>/<record_id>/associations/default/<other>/<other_id>", single_default),
    ("PUT", "/<kind>/<record_id>/associations/<other>/<other_id>", single_create),
    ("DELETE", "/<kind>/<record_id>/associations/<other>/<other_id>", single_archive),
    ("GET", "/<kind>/<record_id>/associations/<other>", single_read),
)
