"""Search: filter groups are joined by OR, their filters by AND (HubSpot docs, 'Search the CRM')."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from chatferry_hubspot.emulator.body import names, number
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.errors import invalid
from chatferry_hubspot.emulator.records import Record
from chatferry_hubspot.emulator.values import normalise

GROUPS, FILTERS, PAGE, REACH = 5, 6, 200, 10_000

Comparison = Callable[[str, str], bool]


def _words(value: str, pattern: str) -> bool:
    return any(fnmatchcase(word, pattern.lower()) for word in [value.lower(), *value.lower().split()])


def _number(value: str) -> tuple[int, float, str]:
    """Sort numbers as numbers and anything else as text."""
    try:
        return (0, float(value), "")
    except ValueError:
        return (1, 0.0, value)


_COMPARISONS: Mapping[str, Comparison] = {
    "EQ": lambda have, want: have.lower() == want.lower(),
    "NEQ": lambda have, want: have.lower() != want.lower(),
    "LT": lambda have, want: bool(have) and _number(have) < _number(want),
    "LTE": lambda have, want: bool(have) and _number(have) <= _number(want),
    "GT": lambda have, want: bool(have) and _number(have) > _number(want),
    "GTE": lambda have, want: bool(have) and _number(have) >= _number(want),
    "CONTAINS_TOKEN": _words,
    "NOT_CONTAINS_TOKEN": lambda have, want: not _words(have, want),
}
_LISTS = {"IN": True, "NOT_IN": False}
_PRESENCE = {"HAS_PROPERTY": True, "NOT_HAS_PROPERTY": False}


def search_records(kind: ObjectType, records: Iterable[Record], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the records a search finds."""
    groups = body.get("filterGroups") or []
    if len(groups) > GROUPS:
        raise invalid(f"At most {GROUPS} filterGroups are allowed")
    tests = [[_test(kind, one) for one in _filters(group)] for group in groups]
    query = str(body.get("query") or "").lower()
    found = [
        record
        for record in records
        if not record.archived
        and (not tests or any(all(test(record) for test in group) for group in tests))
        and (not query or any(query in value.lower() for value in record.properties.values()))
    ]
    found = _sorted(found, body.get("sorts") or [])
    limit = number(body.get("limit"), "limit", default=10, most=PAGE)
    after = int(body["after"]) if str(body.get("after") or "").isdigit() else 0
    if after + limit > REACH:
        raise invalid(f"Search reaches {REACH} records at most")
    wanted = {*(names(body.get("properties")) or kind.shown), *kind.system}
    page: dict[str, Any] = {
        "total": len(found),
        "results": [record.to_json(wanted) for record in found[after : after + limit]],
    }
    if after + limit < len(found):
        page["paging"] = {"next": {"after": str(after + limit)}}
    return page


def _filters(group: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    filters: list[Mapping[str, Any]] = group.get("filters") or []
    if len(filters) > FILTERS:
        raise invalid(f"At most {FILTERS} filters are allowed in a group")
    return filters


def _test(kind: ObjectType, given: Mapping[str, Any]) -> Callable[[Record], bool]:
    name, operator = str(given.get("propertyName")), str(given.get("operator"))
    if name not in kind.properties:
        raise invalid(f"There was a problem with the request: property {name} does not exist")
    if operator in _PRESENCE:
        present = _PRESENCE[operator]
        return lambda record: bool(record.properties.get(name)) is present
    if operator in _LISTS:
        wanted, inside = (
            {_stored(kind, name, one).lower() for one in given.get("values") or ()},
            _LISTS[operator],
        )
        return lambda record: (record.properties.get(name, "").lower() in wanted) is inside
    if operator == "BETWEEN":
        low, high = _stored(kind, name, given.get("value")), _stored(kind, name, given.get("highValue"))
        return lambda record: (
            bool(record.properties.get(name))
            and _number(low) <= _number(record.properties[name]) <= _number(high)
        )
    if operator not in _COMPARISONS:
        raise invalid(f"{operator} is not a search operator")
    compare, value = _COMPARISONS[operator], _stored(kind, name, given.get("value"))
    return lambda record: compare(record.properties.get(name, ""), value)


def _stored(kind: ObjectType, name: str, value: object) -> str:
    """Return a filter's value in the stored format, so that dates compare."""
    stored = normalise(kind.properties[name], str(value or ""))
    return stored if isinstance(stored, str) else str(value or "")


def _sorted(records: list[Record], sorts: list[Any]) -> list[Record]:
    records = sorted(records, key=lambda record: int(record.id))
    for sort in reversed(sorts):
        name = sort if isinstance(sort, str) else sort.get("propertyName", "")
        down = not isinstance(sort, str) and sort.get("direction") == "DESCENDING"
        records.sort(key=lambda record, name=name: _number(record.properties.get(name, "")), reverse=down)  # type: ignore[misc]  # name is bound
    return records
