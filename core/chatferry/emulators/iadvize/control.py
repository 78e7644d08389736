"""The control API under ``/_emulator/``: read the emulator's state and change it, as JSON."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from chatferry.emulators.iadvize.truth import Truth
from chatferry.emulators.iadvize.world import IAdvizeWorld

USER_EVENTS = (
    "user.created",
    "user.updated",
    "user.connected",
    "user.disconnected",
    "user.availability.updated",
)


def control_blueprint(world: IAdvizeWorld) -> Blueprint:
    """Make the routes that control this world."""
    control = _Control(world)
    routes = Blueprint("control", __name__, url_prefix="/_emulator")
    routes.get("/state")(control.state)
    routes.get("/truth")(control.truths)
    routes.get("/truth/<conversation_id>")(control.truth)
    routes.get("/deliveries")(control.deliveries)
    routes.get("/faults")(control.faults)
    routes.post("/faults")(control.switch_on)
    routes.delete("/faults")(control.switch_off)
    routes.delete("/faults/<name>")(control.switch_off)
    routes.post("/play")(control.play)
    routes.post("/settle")(control.settle)
    routes.post("/tokens/revoke")(control.revoke)
    routes.post("/conversations/<conversation_id>/erase-visitor")(control.erase_visitor)
    routes.post("/conversations/<conversation_id>/anonymise")(control.anonymise)
    routes.post("/conversations/<conversation_id>/update-visitor")(control.update_visitor)
    routes.post("/users/<event_type>")(control.user_event)
    routes.register_error_handler(ValueError, _bad_request)
    routes.register_error_handler(KeyError, _not_found)
    return routes


def _bad_request(error: Exception) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


def _not_found(_error: Exception) -> tuple[Response, int]:
    return jsonify(error="there is no such conversation"), 404


def truth_as_json(truth: Truth) -> dict[str, Any]:
    """Return a truth as JSON can hold it."""
    body = dataclasses.asdict(truth)
    for name in ("created_at", "closed_at"):
        body[name] = body[name].isoformat()
    return body


class _Control:
    """The handlers."""

    def __init__(self, world: IAdvizeWorld) -> None:
        self.world = world

    def state(self) -> Response:
        world = self.world
        return jsonify(
            seed=world.generator.seed,
            conversations=len(world.ids),
            played=world.played,
            target=world.sender.target,
            clients=[
                {
                    "platform": client.platform,
                    "client_id": client.client_id,
                    "username": client.username,
                    "projects": [project.id for project in client.projects],
                    "operators": {operator.id: operator.kind for operator in client.operators},
                }
                for client in world.clients
            ],
            deliveries=Counter(delivery.state for delivery in world.sender.deliveries),
            counters=world.counters,
            tokens={"given": world.tokens.given, "refused": world.tokens.refused},
            faults={
                "on": [dataclasses.asdict(fault) for fault in world.faults.on],
                "struck": world.faults.struck,
            },
        )

    def truths(self) -> Response:
        """Only what was played with ``?played=1``."""
        ids = self.world.ids
        if request.args.get("played"):
            ids = ids[: self.world.played]
        return jsonify([truth_as_json(self.world.truth(conversation_id)) for conversation_id in ids])

    def truth(self, conversation_id: str) -> Response:
        return jsonify(truth_as_json(self.world.truth(conversation_id)))

    def deliveries(self) -> Response:
        """Filtered by ``?state=`` and ``?event_type=``."""
        wanted = {name: request.args[name] for name in ("state", "event_type") if name in request.args}
        found = (delivery.as_json() for delivery in self.world.sender.deliveries)
        return jsonify([one for one in found if wanted.items() <= one.items()])

    def faults(self) -> Response:
        return jsonify(self.world.faults.to_json())

    def switch_on(self) -> Response:
        """``{"fault": "NAME[=VALUE][:RATE|:xTIMES]"}``."""
        return jsonify(dataclasses.asdict(self.world.faults.switch_on(str(_body().get("fault", "")))))

    def switch_off(self, name: str | None = None) -> Response:
        self.world.faults.switch_off(*([name] if name else []))
        return self.faults()

    def play(self) -> Response:
        """The fields of ``Play``; ``{"wait": true}`` answers when all have begun."""
        how = dict(_body())
        count, wait = how.pop("count", 1), how.pop("wait", not how.get("rate"))
        if not isinstance(count, int) or count < 0:
            raise ValueError("'count' must be a number of conversations")
        try:
            if wait:
                return jsonify(played=self.world.play(count, **how))
            self.world.play_in_background(count, **how)
        except TypeError as error:
            raise ValueError(str(error)) from None
        return jsonify(playing=count)

    def settle(self) -> Response:
        return jsonify(settled=self.world.settle(float(_body().get("timeout", 60.0))))

    def revoke(self) -> Response:
        return jsonify(revoked=self.world.tokens.revoke())

    def erase_visitor(self, conversation_id: str) -> Response:
        self.world.erase_visitor(conversation_id)
        return jsonify(erased=True)

    def anonymise(self, conversation_id: str) -> Response:
        self.world.anonymise(conversation_id)
        return jsonify(anonymised=True)

    def update_visitor(self, conversation_id: str) -> Response:
        self.world.update_visitor(conversation_id)
        return jsonify(sent=True)

    def user_event(self, event_type: str) -> Response:
        if event_type not in USER_EVENTS:
            abort(404)
        self.world.send_user_event(event_type)
        return jsonify(sent=True)


def _body() -> Mapping[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}
