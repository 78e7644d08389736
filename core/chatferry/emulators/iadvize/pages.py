"""HTML pages: the conversations, one of them as a chat, the webhook deliveries, the faults."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from chatferry.emulators.iadvize.world import IAdvizeWorld

_A_PAGE = 50


def pages_blueprint(world: IAdvizeWorld) -> Blueprint:
    """Make the pages of this world."""
    pages = _Pages(world)
    routes = Blueprint("pages", __name__, template_folder="templates")
    routes.get("/")(pages.index)
    routes.get("/conversations/<conversation_id>")(pages.conversation)
    routes.get("/deliveries")(pages.deliveries)
    routes.get("/faults")(pages.faults)
    routes.post("/play")(pages.play)
    routes.post("/faults")(pages.switch)
    return routes


class _Pages:
    """The handlers."""

    def __init__(self, world: IAdvizeWorld) -> None:
        self.world = world

    def index(self) -> str:
        ids, start = self.world.ids, max(0, request.args.get("start", 0, type=int))
        shown = [self.world.truth(conversation_id) for conversation_id in ids[start : start + _A_PAGE]]
        return render_template(
            "iadvize/index.html",
            world=self.world,
            truths=shown,
            start=start,
            page=_A_PAGE,
            total=len(ids),
            states=Counter(delivery.state for delivery in self.world.sender.deliveries),
        )

    def conversation(self, conversation_id: str) -> str:
        node = self.world.node(conversation_id)
        if node is None:
            abort(404)
        truth = self.world.truth(conversation_id)
        return render_template(
            "iadvize/conversation.html",
            node=node,
            truth=truth,
            running=truth.closed_at.timestamp() > time.time(),
            questions=_questions_by_message(truth.answers),
        )

    def deliveries(self) -> str:
        found = self.world.sender.deliveries[::-1]
        return render_template("iadvize/deliveries.html", deliveries=found[:500], total=len(found))

    def faults(self) -> str:
        on = {fault.name: fault for fault in self.world.faults.on}
        return render_template("iadvize/faults.html", board=self.world.faults, on=on)

    def play(self) -> BaseResponse:
        count = request.form.get("count", 1, type=int)
        self.world.play_in_background(min(max(count, 0), 10_000), live="live" in request.form, pace=10.0)
        return redirect("/deliveries")

    def switch(self) -> BaseResponse:
        name = request.form.get("fault", "")
        if "off" in request.form:
            self.world.faults.switch_off(name)
            return redirect("/faults")
        try:
            self.world.faults.switch_on(name)
        except ValueError as error:
            return Response(str(error), status=400, mimetype="text/plain")
        return redirect("/faults")


def _questions_by_message(answers: Any) -> dict[str, str]:
    return {
        message_id: ", ".join(name for name, other in answers.items() if message_id in other.message_ids)
        for answer in answers.values()
        for message_id in answer.message_ids
    }
