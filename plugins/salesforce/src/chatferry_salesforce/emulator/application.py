"""Assemble the Flask application of the emulator."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, Response, current_app, g, jsonify, request

from chatferry.emulators import FaultBoard
from chatferry.emulators.misbehaviour import Misbehaviour
from chatferry_salesforce.emulator import control, page
from chatferry_salesforce.emulator.calls import Answer, Call
from chatferry_salesforce.emulator.gate import guard
from chatferry_salesforce.emulator.org import Org
from chatferry_salesforce.emulator.prepared import prepare
from chatferry_salesforce.emulator.routes.metadata import versions
from chatferry_salesforce.emulator.routes.table import find
from chatferry_salesforce.emulator.settings import DuplicateRule, OrgSettings

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class SalesforceApp(Flask):
    """An emulated Salesforce org."""

    def __init__(self, org: Org, board: FaultBoard) -> None:
        super().__init__("chatferry_salesforce.emulator", static_folder=None)
        self.org = org
        self.misbehaviour = Misbehaviour(board)
        self._prepare()

    def reset(self) -> None:
        """Return to the initial state."""
        self.org.reset()
        self._prepare()

    def _prepare(self) -> None:
        if self.org.settings.prepared:
            prepare(self.org)


def create_app(*, faults: FaultBoard, latency: float = 0.0, **options: Any) -> SalesforceApp:
    """Make an emulated org; ``options`` are fields of :class:`OrgSettings`, ``latency`` is in seconds."""
    options = {name: value for name, value in options.items() if value is not None}
    if "duplicates" in options:
        options["duplicates"] = DuplicateRule(options["duplicates"])
    application = SalesforceApp(Org(OrgSettings(latency=latency, **options)), faults)
    application.add_url_rule("/services/oauth2/token", "token", _token, methods=["POST"])
    application.add_url_rule("/services/oauth2/userinfo", "userinfo", _user)
    application.add_url_rule("/services/data/", "versions", lambda: jsonify(versions()))
    application.add_url_rule("/services/data/<path:path>", "data", _data, methods=METHODS)
    control.register(application)
    page.register(application)
    guard(application)
    return application


def app() -> SalesforceApp:
    """Return the application of this call."""
    return cast("SalesforceApp", current_app)


def _token() -> Response:
    """Open a session: client credentials, an assertion, or a refresh token."""
    form = {**request.form.to_dict()}
    if request.authorization is not None and request.authorization.type == "basic":
        form |= {
            "client_id": request.authorization.username or "",
            "client_secret": request.authorization.password or "",
        }
    address = request.host_url.rstrip("/")
    org = app().org
    with org.lock:
        answer = org.sessions.grant(form, address=address)
    return jsonify({**answer, "instance_url": address, "id": f"{address}/id/{org.id}/{org.user_id}"})


def _user() -> Response:
    """Say who the session is of."""
    org = app().org
    return jsonify(user_id=org.user_id, organization_id=org.id, preferred_username=org.settings.username)


def _data(path: str) -> Response:  # noqa: ARG001  (the table of routes reads it)
    """Handle a call of the data API under the lock of the org, as one transaction."""
    version, handler, parts = find(request.method, request.path)
    files = {name: one.read() for name, one in request.files.items()}
    files |= {name: value.encode() for name, value in request.form.items()}
    call = Call(
        org=app().org,
        version=version,
        path=parts,
        query=request.args.to_dict(),
        headers=dict(request.headers),
        body=request.get_json(silent=True, force=True) if request.data else None,
        files=files,
        strikes=lambda name: app().misbehaviour.strikes(name) is not None,
    )
    with app().org.lock:
        return _response(handler(call))


def _response(answer: Answer) -> Response:
    if answer.body is None:
        return Response(status=answer.status, headers=dict(answer.headers))
    response = jsonify(answer.body)
    response.status_code = answer.status
    response.headers.update(answer.headers)
    g.records = len(answer.body) if isinstance(answer.body, list) else 0
    return response
