"""Answering queries: which records, and what of them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from chatferry_salesforce.emulator.errors import ApiError
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.soql import Combination, Comparison, Condition, Query
from chatferry_salesforce.emulator.tables import ObjectType, Record
from chatferry_salesforce.emulator.values import moment


def value_of(org: Org, record: Record, path: str) -> Any:
    """Return a field of a record, or of one that it names: ``Lead__r.Email``.

    :raises ApiError: INVALID_FIELD, if there is no such field that the user may see.
    """
    kind = org.objects[record.kind.lower()]
    first, _, rest = path.partition(".")
    if not rest:
        return plain_value(org, kind, record, first)
    one = next(
        (each for each in org.columns(kind) if (each.relationship or "").lower() == first.lower()), None
    )
    if one is None:
        raise ApiError(
            400,
            "INVALID_FIELD",
            f"Didn't understand relationship '{first}' in field path of entity {kind.name}",
        )
    target = org.record(record.values.get(one.name, ""))
    if target is None:
        other = org.kind(one.reference_to[0])
        _column(org, other, rest)
        return None
    return value_of(org, target, rest)


def plain_value(org: Org, kind: ObjectType, record: Record, name: str) -> Any:
    """Return a field of a record; those that every record has are not among its values."""
    column = _column(org, kind, name)
    match column:
        case "Id":
            return record.id
        case "IsDeleted":
            return record.deleted
        case "CreatedDate":
            return moment(record.created)
        case "LastModifiedDate" | "SystemModstamp":
            return moment(record.modified)
        case "Name" if "Name" not in record.values and "LastName" in record.values:
            return " ".join(filter(None, (record.values.get("FirstName"), record.values["LastName"])))
    one = kind.field(column)
    missing = False if one is not None and one.type == "boolean" else None
    return record.values.get(column, missing)


def _column(org: Org, kind: ObjectType, name: str) -> str:
    one = org.column(kind, name.partition(".")[0])
    if one is None:
        raise ApiError(400, "INVALID_FIELD", f"No such column '{name}' on entity '{kind.name}'.")
    return one.name


def select(org: Org, query: Query, *, deleted: bool = False) -> list[Record]:
    """Return the records that a query is about, in its order.

    :param deleted: whether the recycle bin is looked at too.
    :raises ApiError: for an object or a field that the user does not see.
    """
    kind = org.objects.get(query.kind.lower())
    if kind is None or (kind.custom and (kind.name, "") not in org.granted):
        message = f"sObject type '{query.kind}' is not supported."
        raise ApiError(400, "INVALID_TYPE", message)
    _check(org, kind, query)
    found = [
        record
        for record in _candidates(kind, query.where)
        if (deleted or not record.deleted) and _holds(org, record, query.where)
    ]
    for path, descending in reversed(query.order):
        found.sort(key=lambda record, path=path: _rank(value_of(org, record, path)), reverse=descending)  # type: ignore[misc]  # mypy does not see that the default is str
    found = found[query.offset :]
    return found if query.limit is None else found[: query.limit]


def show(org: Org, record: Record, columns: tuple[str, ...], version: str) -> dict[str, Any]:
    """Return a record as a row of an answer; related fields are nested."""
    kind = org.objects[record.kind.lower()]
    shown: dict[str, Any] = {"attributes": attributes(record, version)}
    for path in columns:
        first, _, rest = path.partition(".")
        if not rest:
            shown[_column(org, kind, first)] = plain_value(org, kind, record, first)
            continue
        value = value_of(org, record, path)
        inner = shown.setdefault(first, {"attributes": {"type": first}})
        inner[rest] = value
    return shown


def attributes(record: Record, version: str) -> Mapping[str, str]:
    """Return what says of a record in an answer which one it is."""
    return {"type": record.kind, "url": f"/services/data/v{version}/sobjects/{record.kind}/{record.id}"}


def _check(org: Org, kind: ObjectType, query: Query) -> None:
    """Look at every path of a query even if no record is there."""
    empty = Record(id="", kind=kind.name, created=0.0, modified=0.0)
    paths = [*query.columns, *(path for path, _ in query.order), *_paths(query.where)]
    for path in paths:
        value_of(org, empty, path)


def _paths(condition: Condition | None) -> list[str]:
    match condition:
        case Comparison(column=column):
            return [column]
        case Combination(parts=parts):
            return [path for part in parts for path in _paths(part)]
    return []


def _candidates(kind: ObjectType, where: Condition | None) -> list[Record]:
    """Return the records to look at: those of an index, where the query names one."""
    conditions = where.parts if isinstance(where, Combination) and where.operator == "AND" else (where,)
    for one in conditions:
        if not isinstance(one, Comparison) or one.operator not in {"=", "IN"}:
            continue
        values = one.value if one.operator == "IN" else (one.value,)
        column = kind.field(one.column)
        if one.column.lower() == "id":
            return [kind.records[value] for value in dict.fromkeys(values) if value in kind.records]
        if column is not None and column.is_lookup and None not in values:
            found = (record for value in values for record in kind.find(column.name, value))
            return list({record.id: record for record in found}.values())
    return list(kind.records.values())


def _holds(org: Org, record: Record, condition: Condition | None) -> bool:
    match condition:
        case None:
            return True
        case Combination(operator="AND", parts=parts):
            return all(_holds(org, record, part) for part in parts)
        case Combination(operator="OR", parts=parts):
            return any(_holds(org, record, part) for part in parts)
        case Combination(parts=(part,)):
            return not _holds(org, record, part)
        case Comparison():
            return _compares(value_of(org, record, condition.column), condition)
    raise TypeError(condition)


def _compares(held: Any, said: Comparison) -> bool:
    if said.operator in _EQUALS:
        equal = _folded(held) in map(_folded, said.value if said.operator.endswith("IN") else (said.value,))
        return equal is _EQUALS[said.operator]
    if held is None or said.value is None:
        return False
    if said.operator == "LIKE":
        pattern = re.escape(str(said.value)).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, str(held), re.IGNORECASE | re.DOTALL) is not None
    return bool(_ORDERS[said.operator](_comparable(held), _comparable(said.value)))


_EQUALS: Final = {"=": True, "!=": False, "IN": True, "NOT IN": False}
_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _comparable(value: Any) -> Any:
    """Return a value in a form that compares: moments are written in several ways."""
    if not isinstance(value, str):
        return value
    return re.sub(r"\.000|Z$|\+00:?00$", "", value)


def _rank(value: Any) -> tuple[bool, Any]:
    return value is not None, _folded(value) if value is not None else 0
