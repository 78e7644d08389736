"""The control API, ``/_emulator/…``: inspect the account, and change it as its users would."""

from __future__ import annotations

from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from chatferry.emulators.clock import timestamp
from chatferry_hubspot.emulator.body import json_object, properties_of, text
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.definitions import schema_json
from chatferry_hubspot.emulator.errors import invalid
from chatferry_hubspot.emulator.serving import account, app
from chatferry_hubspot.emulator.settings import PLANS, SCOPES
from chatferry_hubspot.emulator.writes import Writer

PREFIX = "/_emulator"


def state() -> ResponseReturnValue:
    """Dump all records, links and custom definitions."""
    types = account().types
    return jsonify(
        records={kind.name: _records(kind) for kind in types.values()},
        associations=[
            {
                "from": {"type": types[one[0]].name, "id": one[1]},
                "to": {"type": types[other[0]].name, "id": other[1]},
            }
            for one, other in account().links
            if one[0] in types and other[0] in types
        ],
        properties={
            kind.name: [one.to_json() for one in kind.properties.values() if not one.hubspot_defined]
            for kind in types.values()
        },
        schemas=[schema_json(account(), kind) for kind in account().custom_types],
    )


def _records(kind: ObjectType) -> list[dict[str, Any]]:
    return [
        {
            **one.to_json([name for name, value in one.properties.items() if value]),
            "mergedInto": one.merged_into,
        }
        for one in kind.table.records.values()
    ]


def calls() -> ResponseReturnValue:
    """Return the counters and the last calls."""
    return jsonify(account().journal.to_json())


def clear_calls() -> ResponseReturnValue:
    """Reset the counters and drop the calls."""
    account().journal.clear()
    return "", 204


def faults() -> ResponseReturnValue:
    """Return which faults there are, which are on, and how often each has struck."""
    return jsonify(app().misbehaviour.board.to_json())


def switch_faults() -> ResponseReturnValue:
    """Switch faults on, as ``--fault`` does, and off by name."""
    body = json_object()
    try:
        app().misbehaviour.board.switch(on=body.get("on", ()), off=body.get("off") or ())
    except ValueError as error:
        raise invalid(str(error)) from None
    return faults()


def clear_faults() -> ResponseReturnValue:
    """Switch all faults off."""
    app().misbehaviour.board.switch_off()
    return faults()


def clock() -> ResponseReturnValue:
    """Return the emulator's time."""
    return jsonify(now=timestamp(account().clock.now()), frozen=account().clock.frozen)


def move_clock() -> ResponseReturnValue:
    """Advance by seconds, or freeze and thaw."""
    body = json_object()
    if "freeze" in body:
        account().clock.freeze(frozen=bool(body["freeze"]))
    seconds = body.get("advance", 0)
    if not isinstance(seconds, (int, float)) or seconds < 0:
        raise invalid("advance must be a number of seconds, not below 0")
    account().clock.advance(seconds)
    return clock()


def reset() -> ResponseReturnValue:
    """Return to the initial state, with no faults."""
    app().misbehaviour.board.switch_off()
    account().reset()
    return "", 204


def add_token() -> ResponseReturnValue:
    """Add a static token: ``token``, ``scopes`` (all), ``expiresIn`` (never)."""
    body = json_object()
    key = account().keys.add(text(body, "token"), tuple(body.get("scopes", SCOPES)), body.get("expiresIn"))
    return jsonify(token=key.value, scopes=list(key.scopes)), 201


def revoke_token() -> ResponseReturnValue:
    """Revoke a token of any kind."""
    account().keys.revoke(text(json_object(), "token"))
    return "", 204


def change_settings() -> ResponseReturnValue:
    """Change ``plan``, ``burst``, ``secondly`` or ``daily``."""
    body = json_object()
    if unknown := body.keys() - {"plan", "burst", "secondly", "daily"}:
        raise invalid(
            f"There is no setting {', '.join(sorted(unknown))}; there are plan, burst, secondly, daily"
        )
    if body.get("plan", "free") not in PLANS:
        raise invalid(f"There is no such plan; there are {', '.join(PLANS)}")
    account().change(**body)
    return jsonify(plan=account().settings.plan, **account().limiter.to_json())


def create(kind: str) -> ResponseReturnValue:
    """Create a record as a user would in HubSpot's web interface."""
    found = account().kind(kind)
    record = Writer(account(), found).create(properties_of(json_object()))
    return jsonify(record.to_json(record.properties)), 201


def update(kind: str, record_id: str) -> ResponseReturnValue:
    """Change a record as a user would."""
    writer = Writer(account(), account().kind(kind))
    record = writer.update(writer.find(record_id), properties_of(json_object()))
    return jsonify(record.to_json(record.properties))


def archive(kind: str, record_id: str) -> ResponseReturnValue:
    """Archive a record as a user would."""
    writer = Writer(account(), account().kind(kind))
    writer.archive(writer.find(record_id))
    return "", 204


def merge() -> ResponseReturnValue:
    """Merge two contacts as a user would: ``primary`` and ``other``."""
    body, writer = json_object(), Writer(account(), account().kind("contacts"))
    record = writer.merge(writer.find(text(body, "primary")), writer.find(text(body, "other")))
    return jsonify(record.to_json(record.properties))


def health() -> ResponseReturnValue:
    """Say what is running."""
    return jsonify(status="UP", emulator="hubspot", path=request.path)


ROUTES = (
    ("GET", "/health", health),
    ("GET", "/state", state),
    ("GET", "/calls", calls),
    ("DELETE", "/calls", clear_calls),
    ("GET", "/faults", faults),
    ("POST", "/faults", switch_faults),
    ("DELETE", "/faults", clear_faults),
    ("GET", "/clock", clock),
    ("POST", "/clock", move_clock),
    ("POST", "/reset", reset),
    ("POST", "/tokens", add_token),
    ("DELETE", "/tokens", revoke_token),
    ("POST", "/settings", change_settings),
    ("POST", "/records/<kind>", create),
    ("PATCH", "/records/<kind>/<record_id>", update),
    ("DELETE", "/records/<kind>/<record_id>", archive),
    ("POST", "/merge", merge),
)
