"""The Flask application: iAdvize's own endpoints, the control API and pages for people."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, request

from chatferry.emulators.faults import FaultBoard
from chatferry.emulators.iadvize.control import control_blueprint
from chatferry.emulators.iadvize.faults import number
from chatferry.emulators.iadvize.misbehaviour import refuse, too_many_requests, truncated
from chatferry.emulators.iadvize.pages import pages_blueprint
from chatferry.emulators.iadvize.people import Client
from chatferry.emulators.iadvize.reading import Reading, Reads
from chatferry.emulators.iadvize.service import GraphQLService, Query
from chatferry.emulators.iadvize.world import IAdvizeWorld

INVALID_TOKEN = {"error_description": "access token not valid", "error": "invalid_token"}


def create_app(
    world: IAdvizeWorld,
    faults: FaultBoard | None = None,
    *,
    without: Iterable[str] = (),
    latency: float = 0.0,
) -> Flask:
    """Serve a world. ``without`` takes fields out of the schema, ``latency`` is in seconds a request.

    :raises ValueError: if a field to take out does not exist.
    """
    if faults is not None:
        world.use(faults)
    app = Flask(__name__)
    app.extensions["iadvize"] = world
    app.register_blueprint(_Api(world, GraphQLService(without), latency).blueprint())
    app.register_blueprint(control_blueprint(world))
    app.register_blueprint(pages_blueprint(world))
    return app


class _Api:
    """The endpoints that iAdvize documents."""

    def __init__(self, world: IAdvizeWorld, service: GraphQLService, latency: float) -> None:
        self.world = world
        self.service = service
        self.latency = latency
        self.reads = Reads()

    def blueprint(self) -> Blueprint:
        routes = Blueprint("api", __name__)
        routes.post("/oauth2/token")(self.login)
        routes.get("/_authenticated")(self.authenticated)
        routes.post("/graphql")(self.graphql)
        return routes

    def login(self) -> Response:
        """Give a token: the password grant, as a form (iAdvize docs, "Authentication")."""
        self.world.count("logins")
        time.sleep(self.latency)
        if fault := self.world.faults.strikes("login-limited"):
            return too_many_requests(fault, b'{"error":"too_many_requests"}')
        if self.world.faults.strikes("login-refused"):
            return _json(
                {"error": "invalid_grant", "error_description": "username or password is wrong"}, 400
            )
        answer = self.world.tokens.login(request.form, request.remote_addr or "")
        return _json(answer.body, answer.status)

    def authenticated(self) -> Response:
        """Say whether the bearer's token is valid (the same page)."""
        if self._bearer() is None:
            return _json(INVALID_TOKEN, 401)
        return _json({"authenticated": True})

    def _bearer(self) -> tuple[Client, ...] | None:
        return self.world.tokens.clients_of(request.headers.get("Authorization"))

    def graphql(self) -> Response:
        """Answer a query, or misbehave."""
        self.world.count("graphql requests")
        time.sleep(self.latency)
        faults = self.world.faults
        if faults.on:
            if instead := refuse(faults, self.world.closing):
                return instead
            if faults.strikes("token-revoked"):
                self.world.tokens.revoke()
        clients = self._bearer()
        if clients is None or faults.strikes("unauthorized"):
            return _json(INVALID_TOKEN, 401)
        answer = self._answer(clients)
        if faults.strikes("truncated"):
            return truncated(answer.get_data(), answer.content_type)
        return answer

    def _answer(self, clients: tuple[Client, ...]) -> Response:
        envelope = request.get_json(silent=True)
        if not isinstance(envelope, dict) or not isinstance(envelope.get("query"), str):
            return _refused("The body must be a JSON object with a 'query'")
        variables = envelope.get("variables") or {}
        if not isinstance(variables, dict):
            return _refused("'variables' must be an object")
        query = self.service.read(envelope["query"])
        if isinstance(query, list):
            return _json({"errors": [dict(error.formatted) for error in query]}, 400)
        self.world.count("conversations asked for", query.conversations)
        if refusal := self._refusal(query):
            return refusal
        return self._execute(query, variables, envelope.get("operationName"), clients)

    def _refusal(self, query: Query) -> Response | None:
        fault = self.world.faults.strikes("document-too-large") if self._too_large(query) else None
        if fault is not None:
            return _refused(f"The query is too complex: {query.conversations} conversations")
        if self.world.faults.strikes("graphql-refused"):
            return _json({"errors": [{"message": "Internal server error"}], "data": None})
        return None

    def _too_large(self, query: Query) -> bool:
        fault = next((fault for fault in self.world.faults.on if fault.name == "document-too-large"), None)
        return fault is not None and query.conversations > number(fault, 10)

    def _execute(
        self,
        query: Query,
        variables: Mapping[str, Any],
        operation: str | None,
        clients: tuple[Client, ...],
    ) -> Response:
        reading = Reading(
            self.world,
            clients,
            platform=request.args.get("platform", "ha").lower(),
            faults=self.world.faults,
            reads=self.reads,
            accept=request.headers.get("Accept", ""),
        )
        failing = query.root_keys[0] if self.world.faults.strikes("graphql-errors") else None
        body = self.service.answer(query, reading, variables, operation=operation, failing=failing)
        status = 200 if body.get("data") is not None or not body.get("errors") else 400
        return _json(body, status)


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, content_type="application/json; charset=utf-8")


def _refused(message: str) -> Response:
    return _json({"errors": [{"message": message}]}, 400)
