"""One record: made, read, changed, deleted, or upserted by an external id (REST API guide, 'sObjects')."""

from __future__ import annotations

from typing import Any, Final

from chatferry_salesforce.emulator.calls import Answer, Call
from chatferry_salesforce.emulator.errors import NoSuchColumn, RecordError, not_found
from chatferry_salesforce.emulator.fields import Field
from chatferry_salesforce.emulator.ids import whole_id
from chatferry_salesforce.emulator.queries import show
from chatferry_salesforce.emulator.tables import Record

FIRST_WITH_BODY: Final = 46.0
"""The first API version that answers an update by an external id with a body."""


def create(call: Call) -> Answer:
    """Make a record."""
    try:
        record = call.writer.create(call.kind, call.json_object())
    except RecordError as error:
        raise error.alone() from None
    return Answer(status=201, body=written(record))


def read(call: Call) -> Answer:
    """Show a record, all of its fields or those that are asked for."""
    return Answer(body=_shown(call, _by_id(call)))


def update(call: Call) -> Answer:
    """Change a record."""
    try:
        call.writer.update(_by_id(call, deleted=True), call.json_object())
    except RecordError as error:
        raise error.alone() from None
    return Answer(status=204)


def delete(call: Call) -> Answer:
    """Put a record into the recycle bin."""
    try:
        call.writer.delete(_by_id(call, deleted=True))
    except RecordError as error:
        raise error.alone() from None
    return Answer(status=204)


def read_by_key(call: Call) -> Answer:
    """Show the record that has an external id; 300 if several do."""
    found = [one for one in call.kind.find(key_of(call).name, call.path["value"]) if not one.deleted]
    if not found:
        raise not_found()
    return _choice(call, found) if len(found) > 1 else Answer(body=_shown(call, found[0]))


def upsert(call: Call) -> Answer:
    """Change the record that has an external id, or make it."""
    key, value = key_of(call), call.path["value"]
    update_only = call.query.get("updateOnly", "").lower() == "true"
    body = call.json_object()
    try:
        if key.name in body:
            message = f"The {key.name} field should not be specified in the sobject data."
            raise RecordError("INVALID_FIELD", message)  # noqa: TRY301  (answered like the others)
        record, created = call.writer.upsert(call.kind, key, value, body, update_only=update_only)
    except RecordError as error:
        if error.status == 300:  # noqa: PLR2004  (several have the value)
            found = [one for one in call.kind.find(key.name, value) if not one.deleted]
            return _choice(call, found)
        raise error.alone() from None
    if not created and float(call.version) < FIRST_WITH_BODY:
        return Answer(status=204)
    return Answer(status=201 if created else 200, body={**written(record), "created": created})


def delete_by_key(call: Call) -> Answer:
    """Delete the record that has an external id."""
    found = [one for one in call.kind.find(key_of(call).name, call.path["value"]) if not one.deleted]
    if not found:
        raise not_found()
    call.writer.delete(found[0])
    return Answer(status=204)


def key_of(call: Call) -> Field:
    """Return the field that a path names records by.

    :raises ApiError: 404 if there is no such external id that the user may see.
    """
    name = call.path["key"]
    one = call.org.column(call.kind, name)
    if one is None or not (one.external_id or one.type == "id"):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return one


def written(record: Record) -> dict[str, Any]:
    """Return the answer about a record that was written."""
    return {"id": record.id, "success": True, "errors": []}


def _by_id(call: Call, *, deleted: bool = False) -> Record:
    record = call.kind.records.get(whole_id(call.path["record"]))
    if record is None or (record.deleted and not deleted):
        raise not_found()
    return record


def _shown(call: Call, record: Record) -> dict[str, Any]:
    asked = call.query.get("fields", "")
    names = tuple(asked.split(",")) if asked else tuple(one.name for one in call.org.columns(call.kind))
    for name in names:
        if call.org.column(call.kind, name) is None:
            raise NoSuchColumn(name, call.kind.name).alone()
    return show(call.org, record, names, call.version)


def _choice(call: Call, found: list[Record]) -> Answer:
    return Answer(
        status=300,
        body=[f"/services/data/v{call.version}/sobjects/{one.kind}/{one.id}" for one in found],
    )
