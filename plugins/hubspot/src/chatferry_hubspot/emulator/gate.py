"""Middleware around every call: authentication, rate limits, faults, headers, the journal."""

from __future__ import annotations

import time

from flask import Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from chatferry.emulators.journal import Call
from chatferry_hubspot.emulator.errors import ApiError
from chatferry_hubspot.emulator.keys import Key
from chatferry_hubspot.emulator.serving import HubSpotApp, account, app

_DEFAULT_SCOPE = "crm.objects.contacts.write"
_GOOD = range(200, 300)


def guard(application: HubSpotApp) -> None:
    """Install the middleware in an application."""
    application.before_request(_enter)
    application.after_request(_leave)
    application.register_error_handler(ApiError, _refused)
    application.register_error_handler(HTTPException, _unknown_path)


def _is_internal() -> bool:
    """Whether a call is for the page or the control API: not HubSpot's, so never counted."""
    return request.path == "/" or request.path.startswith("/_emulator")


def _enter() -> Response | None:
    g.started, g.fault, g.unanswered, g.key = time.perf_counter(), "", False, None
    if _is_internal():
        return None
    g.correlation_id = account().correlation_id()
    if latency := account().settings.latency:
        time.sleep(latency)
    oauth = request.path.startswith("/oauth/")
    if not oauth:
        key = account().keys.identify(request.headers.get("Authorization", ""))
        g.key = key
        account().limiter.admit(key, search=_searches())
    return app().misbehaviour.before(_scope(), oauth=oauth)


def _searches() -> bool:
    return request.method == "POST" and request.path.endswith("/search")


def _scope() -> str:
    """Return the scope that writing to this path needs."""
    try:
        return account().kind((request.view_args or {}).get("kind", "contacts")).scope("write")
    except ApiError:
        return _DEFAULT_SCOPE


def _leave(response: Response) -> Response:
    if _is_internal():
        return response
    if response.status_code in _GOOD and not g.unanswered and not request.path.startswith("/oauth/"):
        response = app().misbehaviour.spoil(response)
    key: Key | None = g.key
    if key is not None and not _searches():
        response.headers.extend(account().limiter.headers(key))
    response.headers["X-HubSpot-Correlation-Id"] = g.correlation_id
    account().journal.add(_call(response))
    return response


def _call(response: Response) -> Call:
    return Call(
        at=account().clock.now(),
        method=request.method,
        route=_route(),
        status=0 if g.unanswered else response.status_code,
        milliseconds=1000 * (time.perf_counter() - g.started),
        inputs=_inputs(),
        correlation_id=g.correlation_id,
        fault=g.fault,
    )


def _route() -> str:
    """Return the path with object types named and every other value left out."""
    if request.url_rule is None:
        return "(unknown path)"
    route = request.url_rule.rule
    for name in ("kind", "other"):
        if account().knows(given := str((request.view_args or {}).get(name, ""))):
            route = route.replace(f"<{name}>", given)
    return route.replace("<", "{").replace(">", "}")


def _inputs() -> int:
    body = request.get_json(silent=True) if request.mimetype == "application/json" else None
    inputs = body.get("inputs") if isinstance(body, dict) else None
    return len(inputs) if isinstance(inputs, list) else 0


def _refused(error: ApiError) -> tuple[Response, int, dict[str, str]]:
    correlation_id = g.get("correlation_id") or account().correlation_id()
    return jsonify(error.body(correlation_id)), error.status, error.headers


def _unknown_path(error: HTTPException) -> tuple[Response, int, dict[str, str]]:
    """Answer an unknown path or method in HubSpot's format."""
    message = "resource not found" if error.code == 404 else str(error.name)  # noqa: PLR2004  (a status)
    return _refused(ApiError(error.code or 500, None, message))
