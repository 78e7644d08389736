"""``…/{objectType}/batch/…``: up to 100 records a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from chatferry_hubspot.emulator import batches
from chatferry_hubspot.emulator.body import inputs, json_object, names, properties_of, text
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.errors import NotFound, invalid, not_found
from chatferry_hubspot.emulator.records import Record
from chatferry_hubspot.emulator.routes.records import requested_links
from chatferry_hubspot.emulator.serving import account, kind_for
from chatferry_hubspot.emulator.writes import Writer

LIMIT = 100
Entry = Mapping[str, Any]


def _addressed() -> list[dict[str, Any]]:
    """Return inputs that address a record each and have properties; no record may come twice."""
    entries = inputs(LIMIT)
    for entry in entries:
        entry["id"] = text(entry, "id")
        entry["properties"] = properties_of(entry)
    if len({entry.get("idProperty") for entry in entries}) > 1:
        raise invalid("All inputs of a batch must have the same idProperty")
    batches.refuse_duplicates(entries)
    return entries


def upsert(kind: str) -> ResponseReturnValue:
    """Create or update by a unique property."""
    found = kind_for(kind, "write")
    entries = _addressed()
    writer = Writer(account(), found)
    writer.unique(entries[0].get("idProperty"))
    outcome = batches.write(found, entries, writer.upsert)
    for result in outcome.results:
        result["new"] = found.table.records[result["id"]].new
    return outcome.answer()


def update(kind: str) -> ResponseReturnValue:
    """Update by id or by a unique property."""
    found = kind_for(kind, "write")
    entries, writer = _addressed(), Writer(account(), found)

    def one(entry: Entry) -> Record:
        try:
            record = writer.find(entry["id"], entry.get("idProperty"))
        except NotFound:
            raise not_found(found.singular, [entry["id"]]) from None
        return writer.update(record, entry["properties"])

    return batches.write(found, entries, one).answer()


def create(kind: str) -> ResponseReturnValue:
    """Create, with associations if asked for."""
    found = kind_for(kind, "write")
    entries, writer = inputs(LIMIT), Writer(account(), found)
    for entry in entries:
        entry["properties"] = properties_of(entry)
    add_links: list[Callable[[], None]] = []

    def one(entry: Entry) -> Record:
        ends = requested_links(found, entry)
        record = writer.create(entry["properties"])
        add_links.extend(_linker(found, record, end) for end in ends)
        return record

    outcome = batches.write(found, entries, one)
    for add in add_links:
        add()
    return outcome.answer(201)


def _linker(kind: ObjectType, record: Record, end: tuple[str, str]) -> Callable[[], None]:
    return lambda: account().links.add((kind.type_id, record.id), end)


def read(kind: str) -> ResponseReturnValue:
    """Read by id or by a unique property; a missing record is an error in a 207."""
    found = kind_for(kind, "read")
    entries, body = inputs(LIMIT), json_object()
    wanted, writer = names(body.get("properties")), Writer(account(), found)
    archived = request.args.get("archived") == "true"
    outcome, missing = batches.Outcome(), []
    for entry in entries:
        record_id = text(entry, "id")
        try:
            if archived:
                record = found.table.records.get(record_id)
                if record is None or not record.archived:
                    raise not_found(found.singular)
            else:
                record = writer.find(record_id, body.get("idProperty"))
        except NotFound:
            missing.append(record_id)
        else:
            outcome.results.append(record.to_json({*(wanted or found.shown), *found.system}))
    if missing:
        outcome.errors = [not_found(found.singular, missing).entry({"ids": missing})]
    return outcome.answer()


def archive(kind: str) -> ResponseReturnValue:
    """Archive; unknown ids are ignored."""
    found = kind_for(kind, "write")
    writer = Writer(account(), found)
    for entry in inputs(LIMIT):
        record = found.table.live(text(entry, "id"))
        if record is not None:
            writer.archive(record)
    return "", 204


ROUTES = (
    ("POST", "/<kind>/batch/create", create),
    ("POST", "/<kind>/batch/read", read),
    ("POST", "/<kind>/batch/update", update),
    ("POST", "/<kind>/batch/upsert", upsert),
    ("POST", "/<kind>/batch/archive", archive),
)
