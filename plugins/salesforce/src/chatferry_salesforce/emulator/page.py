"""The HTML page at ``/``: records, faults and the last calls of the org."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from chatferry.emulators.clock import timestamp
from chatferry_salesforce.emulator.control import app, as_json
from chatferry_salesforce.emulator.tables import ObjectType, Record

if TYPE_CHECKING:
    from flask import Flask

SHOWN = 50
COLUMNS = 6
_HIDDEN = {"OwnerId"}
_INNER = {"User", "PermissionSet", "PermissionSetAssignment", "RecordType"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One object on the page: a few columns of its newest records."""

    kind: ObjectType
    columns: Sequence[str]
    rows: Sequence[Record]
    total: int
    deleted: int


def register(application: Flask) -> None:
    """Add the pages."""
    application.add_url_rule("/", "home", home)
    application.add_url_rule("/_emulator/pages/<record_id>", "record", record)


def home() -> ResponseReturnValue:
    """Show the overview."""
    org, board = app().org, app().misbehaviour.board
    with org.lock:
        sections = [_section(kind) for kind in org.objects.values() if kind.name not in _INNER]
        return render_template(
            "home.html",
            sections=sections,
            calls=org.journal.last()[:SHOWN],
            counters=org.journal.to_json(),
            allowance=org.allowance,
            faults=board.on,
            struck=board.struck,
            settings=org.settings,
            now=timestamp(org.clock.now()),
            stamp=timestamp,
        )


def record(record_id: str) -> ResponseReturnValue:
    """Show all fields of one record."""
    with app().org.lock:
        found = app().org.record(record_id)
        if found is None:
            abort(404)
        return render_template("record.html", record=found, values=as_json(found), stamp=timestamp)


def _section(kind: ObjectType) -> Section:
    live = list(kind.live())
    rows = live[-SHOWN:][::-1]
    columns = list(dict.fromkeys(name for row in rows for name in row.values if name not in _HIDDEN))
    return Section(
        kind=kind,
        columns=columns[:COLUMNS],
        rows=rows,
        total=len(live),
        deleted=len(kind.records) - len(live),
    )
