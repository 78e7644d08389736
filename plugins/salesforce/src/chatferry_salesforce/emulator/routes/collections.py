"""Many records in a call, an answer about each in their order (REST API guide, 'sObject Collections').

The call is answered with 200 whatever became of the records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from chatferry_salesforce.emulator.calls import Answer, Call
from chatferry_salesforce.emulator.errors import ApiError, NoSuchColumn, RecordError, Unreadable
from chatferry_salesforce.emulator.fields import Field
from chatferry_salesforce.emulator.ids import whole_id
from chatferry_salesforce.emulator.queries import show
from chatferry_salesforce.emulator.routes.records import key_of, written
from chatferry_salesforce.emulator.tables import ObjectType

MOST: Final = 200
ROLLED_BACK: Final = "ALL_OR_NONE_OPERATION_ROLLED_BACK"


def upsert(call: Call) -> Answer:
    """Upsert records of one object by an external id that stands in each."""
    kind, key = call.kind, key_of(call)
    records = _records(call)
    repeated = _repeated(key, records)

    def write(given: Mapping[str, Any]) -> dict[str, Any]:
        _same_kind(given, kind)
        value = given.get(key.name)
        if isinstance(value, str) and value.strip().casefold() in repeated:
            message = f"Duplicate external id specified: {value}"
            raise RecordError("DUPLICATE_VALUE", message, [key.name])
        rest = {name: each for name, each in given.items() if name != key.name}
        record, created = call.writer.upsert(kind, key, value, rest)
        return {**written(record), "created": created}

    return _each(call, records, write)


def create(call: Call) -> Answer:
    """Make records, of several objects if need be."""
    return _each(call, _records(call), lambda given: written(call.writer.create(_kind(call, given), given)))


def update(call: Call) -> Answer:
    """Change records by their ids."""

    def write(given: Mapping[str, Any]) -> dict[str, Any]:
        record = _kind(call, given).records.get(whole_id(str(given.get("id") or given.get("Id") or "")))
        if record is None:
            raise RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        call.writer.update(record, given)
        return written(record)

    return _each(call, _records(call), write)


def delete(call: Call) -> Answer:
    """Put records into the recycle bin by their ids."""
    ids = [one for one in call.query.get("ids", "").split(",") if one]
    if not ids or len(ids) > MOST:
        raise _too_many()

    def remove(given: Mapping[str, Any]) -> dict[str, Any]:
        record = call.org.record(whole_id(given["id"]))
        if record is None:
            raise RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        call.writer.delete(record)
        return written(record)

    all_or_none = call.query.get("allOrNone", "").lower() == "true"
    return _each(call, [{"id": one} for one in ids], remove, all_or_none=all_or_none)


def retrieve(call: Call) -> Answer:
    """Show records by their ids; null in the place of one that is not there."""
    body = call.json_object() if call.body is not None else {}
    ids = body.get("ids") or call.query.get("ids", "").split(",")
    names = tuple(body.get("fields") or call.query.get("fields", "").split(","))
    for name in names:
        if call.org.column(call.kind, name) is None:
            raise NoSuchColumn(name, call.kind.name).alone()
    found = [call.kind.records.get(whole_id(str(one))) for one in ids]
    return Answer(
        body=[
            show(call.org, one, names, call.version) if one is not None and not one.deleted else None
            for one in found
        ]
    )


def _records(call: Call) -> Sequence[Mapping[str, Any]]:
    records = call.json_object().get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records) or not records:
        raise ApiError(400, "INVALID_INPUT", "records: a list of objects is expected")
    if len(records) > MOST:
        raise _too_many()
    return records


def _too_many() -> ApiError:
    return ApiError(400, "LIMIT_EXCEEDED", f"record limit reached. cannot submit more than {MOST} records")


def _kind(call: Call, given: Mapping[str, Any]) -> ObjectType:
    try:
        return call.org.kind(_type(given))
    except ApiError:
        message = f"sObject type '{_type(given)}' is not supported."
        raise RecordError("INVALID_TYPE", message) from None


def _type(given: Mapping[str, Any]) -> str:
    attributes = given.get("attributes")
    return str(attributes.get("type", "")) if isinstance(attributes, Mapping) else ""


def _same_kind(given: Mapping[str, Any], kind: ObjectType) -> None:
    if _type(given).lower() != kind.name.lower():
        raise RecordError("INVALID_INPUT", f"attributes.type must be {kind.name}")


def _repeated(key: Field, records: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Return the keys that more than one of the records has; their case does not matter."""
    values = [one[key.name] for one in records if isinstance(one.get(key.name), str)]
    return frozenset(
        value for value, times in Counter(value.strip().casefold() for value in values).items() if times > 1
    )


def _each(
    call: Call,
    records: Sequence[Mapping[str, Any]],
    write: Callable[[Mapping[str, Any]], dict[str, Any]],
    *,
    all_or_none: bool | None = None,
) -> Answer:
    """Write each record, and say of each what became of it."""
    if all_or_none is None:
        all_or_none = call.json_object().get("allOrNone") is True
    whole = call.org.settings.unknown_column_refuses == "request"
    results: list[dict[str, Any]] = []
    with call.org.all_or_none() as roll_back:
        for given in records:
            try:
                results.append(write(given))
            except RecordError as error:
                if isinstance(error, Unreadable) or (whole and isinstance(error, NoSuchColumn)):
                    roll_back()
                    raise error.alone() from None
                results.append({"success": False, "errors": [error.entry()]})
        if all_or_none and not all(one["success"] for one in results):
            roll_back()
            results = [_rolled_back(one) for one in results]
    return Answer(body=results)


def _rolled_back(result: dict[str, Any]) -> dict[str, Any]:
    if not result["success"]:
        return result
    message = (
        "Record rolled back because not all records were valid and the request was using AllOrNone header"
    )
    return {"success": False, "errors": [{"statusCode": ROLLED_BACK, "message": message, "fields": []}]}
