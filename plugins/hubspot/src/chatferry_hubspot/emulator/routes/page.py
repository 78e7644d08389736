"""The HTML page at ``/``: records, faults and the last calls of the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from chatferry.emulators.clock import timestamp
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.records import Record
from chatferry_hubspot.emulator.serving import account, app

SHOWN = 50
COLUMNS = 6
_HIDDEN = {"hs_object_id", "createdate", "lastmodifieddate", "hs_createdate", "hs_lastmodifieddate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One object type on the page: a few columns of its newest records."""

    kind: ObjectType
    columns: Sequence[str]
    rows: Sequence[Record]
    total: int
    archived: int


def home() -> ResponseReturnValue:
    """Show the overview."""
    sections = [_section(kind) for kind in account().types.values()]
    board = app().misbehaviour.board
    return render_template(
        "home.html",
        sections=sections,
        calls=account().journal.last()[:SHOWN],
        counters=account().journal.to_json(),
        limits=account().limiter.to_json(),
        faults=board.on,
        struck=board.struck,
        settings=account().settings,
        now=timestamp(account().clock.now()),
        stamp=timestamp,
        linked=linked,
    )


def _section(kind: ObjectType) -> Section:
    records = list(kind.table.records.values())
    live = [record for record in records if not record.archived]
    rows = live[-SHOWN:][::-1]
    used = {
        name: None for row in rows for name, value in row.properties.items() if value and name not in _HIDDEN
    }
    first = [name for name in (*kind.required, *kind.shown) if name in used]
    columns = [*dict.fromkeys([*first, *used])][:COLUMNS]
    return Section(kind=kind, columns=columns, rows=rows, total=len(live), archived=len(records) - len(live))


def linked(kind: ObjectType, record: Record) -> list[dict[str, Any]]:
    """Return what a record is linked to."""
    return [
        {"kind": other, "id": one}
        for other in account().types.values()
        for one in account().links.of((kind.type_id, record.id), other.type_id)
    ]


def record(kind: str, record_id: str) -> ResponseReturnValue:
    """Show all properties of one record."""
    found = account().kind(kind)
    shown = found.table.records.get(record_id)
    if shown is None:
        abort(404)
    return render_template(
        "record.html", kind=found, record=shown, linked=linked(found, shown), stamp=timestamp
    )


ROUTES = (
    ("GET", "/", home),
    ("GET", "/_emulator/pages/<kind>/<record_id>", record),
)
