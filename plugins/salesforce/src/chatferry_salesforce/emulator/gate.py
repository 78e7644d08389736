"""Around every call: session, allowance, faults, the limit header, the journal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from flask import Response, current_app, g, jsonify, request
from werkzeug.exceptions import HTTPException

from chatferry.emulators.journal import Call
from chatferry_salesforce.emulator.errors import ApiError, RecordError, TokenError, not_found
from chatferry_salesforce.emulator.faults import REFUSALS, TOKENS, refusal, token_refusal
from chatferry_salesforce.emulator.routes.table import route_of

if TYPE_CHECKING:
    from flask import Flask

    from chatferry_salesforce.emulator.application import SalesforceApp

LONGEST_ADDRESS = 16_384
"""Bytes of an address with its headers."""
_GOOD = range(200, 300)


def guard(application: Flask) -> None:
    """Install the middleware in an application."""
    application.before_request(_enter)
    application.after_request(_leave)
    application.register_error_handler(ApiError, _refused)
    application.register_error_handler(TokenError, _refused)
    application.register_error_handler(RecordError, lambda error: _refused(error.alone()))
    application.register_error_handler(HTTPException, _unknown_path)


def _app() -> SalesforceApp:
    return cast("SalesforceApp", current_app)


def _is_internal() -> bool:
    """Whether a call is for the page or the control API: not Salesforce's, so never counted."""
    return request.path == "/" or request.path.startswith("/_emulator")


def _is_token() -> bool:
    return request.path.startswith("/services/oauth2/token")


def _is_open() -> bool:
    """Whether a call needs no session."""
    return _is_token() or request.path.rstrip("/") == "/services/data"


def _enter() -> Response | None:
    g.started, g.fault, g.unanswered, g.records, g.counted = time.perf_counter(), "", False, 0, False
    if _is_internal():
        return None
    org, misbehaviour = _app().org, _app().misbehaviour
    if org.settings.latency:
        time.sleep(org.settings.latency)
    misbehaviour.delay()
    if not _is_open():
        with org.lock:
            org.sessions.use(request.headers.get("Authorization", ""))
            org.allowance.admit()
        g.counted = True
        _look_at_length()
    if not _is_token() and (nothing := misbehaviour.drop()):
        return nothing
    for name in TOKENS if _is_token() else REFUSALS:
        if misbehaviour.strikes(name):
            answer = token_refusal(name) if _is_token() else refusal(name)
            if isinstance(answer, Exception):
                raise answer
            return answer
    return None


def _look_at_length() -> None:
    headers = sum(len(name) + len(value) for name, value in request.headers.items())
    if len(request.full_path) + headers > LONGEST_ADDRESS:
        raise ApiError(414, "URI_TOO_LONG", "the address and the headers are longer than 16,384 bytes")


def _leave(response: Response) -> Response:
    if _is_internal():
        return response
    if response.status_code in _GOOD and not g.unanswered and not _is_token():
        response = _app().misbehaviour.spoil(response)
    if g.counted:
        response.headers["Sforce-Limit-Info"] = _app().org.allowance.header
    _app().org.journal.add(_call(response))
    return response


def _call(response: Response) -> Call:
    is_data = request.path.startswith("/services/data/v")
    route = route_of(request.method, request.path).partition(" ")[2] if is_data else request.path
    return Call(
        at=_app().org.clock.now(),
        method=request.method,
        route=route.replace("<path:", "<"),
        status=0 if g.unanswered else response.status_code,
        milliseconds=1000 * (time.perf_counter() - g.started),
        inputs=g.records,
        fault=g.fault,
    )


def _refused(error: ApiError | TokenError) -> tuple[Response, int]:
    return jsonify(error.body), error.status


def _unknown_path(error: HTTPException) -> tuple[Response, int]:
    """Answer an unknown path in Salesforce's format."""
    del error
    return _refused(not_found())
