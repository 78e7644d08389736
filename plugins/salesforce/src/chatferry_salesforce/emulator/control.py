"""The control API, ``/_emulator/…``: inspect the org, and change it as its users would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import current_app, jsonify, request
from flask.typing import ResponseReturnValue

from chatferry.emulators.clock import timestamp
from chatferry_salesforce.emulator.conversion import convert
from chatferry_salesforce.emulator.errors import ApiError, not_found
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.settings import DuplicateRule
from chatferry_salesforce.emulator.tables import Record

if TYPE_CHECKING:
    from flask import Flask

    from chatferry_salesforce.emulator.application import SalesforceApp

PREFIX = "/_emulator"


def register(application: Flask) -> None:
    """Add the paths."""
    for rule, method, view in (
        ("/state", "GET", state),
        ("/reset", "POST", reset),
        ("/settings", "POST", change),
        ("/calls", "GET", calls),
        ("/calls", "DELETE", clear_calls),
        ("/faults", "GET", faults),
        ("/faults", "POST", switch_faults),
        ("/faults", "DELETE", clear_faults),
        ("/clock", "POST", move_clock),
        ("/sessions", "DELETE", end_sessions),
        ("/convert", "POST", convert_lead),
        ("/recycle-bin", "DELETE", empty_recycle_bin),
    ):
        application.add_url_rule(PREFIX + rule, f"{method} {rule}", view, methods=[method])


def app() -> SalesforceApp:
    """Return the application of this call."""
    return cast("SalesforceApp", current_app)


def _org() -> Org:
    return app().org


def state() -> ResponseReturnValue:
    """Dump all records, the fields that were deployed, and what the user may see."""
    org = _org()
    with org.lock:
        return jsonify(
            records={
                kind.name: [as_json(one) for one in kind.records.values()] for kind in org.objects.values()
            },
            fields={
                kind.name: [one.name for one in kind.fields.values() if one.custom]
                for kind in org.objects.values()
            },
            granted=sorted(f"{kind}.{field}" if field else kind for kind, field in org.granted),
        )


def as_json(record: Record) -> dict[str, Any]:
    """Return a record for the state."""
    return {"Id": record.id, "IsDeleted": record.deleted, **record.values}


def reset() -> ResponseReturnValue:
    """Return to the initial state."""
    with _org().lock:
        app().reset()
        app().misbehaviour.board.switch_off()
    return "", 204


def change() -> ResponseReturnValue:
    """Change settings, such as ``duplicates`` or ``daily``, until the next reset."""
    given = _json()
    if "duplicates" in given:
        given["duplicates"] = DuplicateRule(given["duplicates"])
    try:
        with _org().lock:
            _org().change(**given)
    except TypeError as error:
        raise ApiError(400, "INVALID_INPUT", str(error)) from None
    return "", 204


def calls() -> ResponseReturnValue:
    """Return the counters and the last calls."""
    return jsonify(_org().journal.to_json())


def clear_calls() -> ResponseReturnValue:
    """Reset the counters and drop the calls."""
    _org().journal.clear()
    return "", 204


def faults() -> ResponseReturnValue:
    """Return which faults there are, which are on, and how often each has struck."""
    return jsonify(app().misbehaviour.board.to_json())


def switch_faults() -> ResponseReturnValue:
    """Switch faults on, as ``--fault`` does, and off by name."""
    body = _json()
    try:
        app().misbehaviour.board.switch(on=body.get("on", ()), off=body.get("off") or ())
    except ValueError as error:
        raise ApiError(400, "INVALID_INPUT", str(error)) from None
    return faults()


def clear_faults() -> ResponseReturnValue:
    """Switch all faults off."""
    app().misbehaviour.board.switch_off()
    return faults()


def move_clock() -> ResponseReturnValue:
    """Advance by seconds."""
    _org().clock.advance(float(_json().get("advance", 0)))
    return jsonify(now=timestamp(_org().clock.now()))


def end_sessions() -> ResponseReturnValue:
    """End every session, as an administrator may."""
    with _org().lock:
        _org().sessions.end_all()
    return "", 204


def convert_lead() -> ResponseReturnValue:
    """Convert a lead, as a salesperson does; into a contact that is there, if one is named."""
    body, org = _json(), _org()
    with org.lock:
        lead, contact = org.record(str(body.get("lead"))), org.record(str(body.get("contact")))
        if lead is None:
            raise not_found()
        account, made = convert(org, lead, contact)
    return jsonify(account=account.id, contact=made.id)


def empty_recycle_bin() -> ResponseReturnValue:
    """Take what was deleted out for good, as ``emptyRecycleBin`` of the SOAP API does."""
    org = _org()
    with org.lock:
        for kind in org.objects.values():
            for record in [one for one in kind.records.values() if one.deleted]:
                kind.remove(record)
    return "", 204


def _json() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "a JSON object is expected")
    return body
