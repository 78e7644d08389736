"""Fault injection of HubSpot's own kind: refusals before a call is handled, and wrong results of a batch."""

from __future__ import annotations

from typing import Any

from flask import Response

from chatferry.emulators.misbehaviour import Misbehaviour
from chatferry_hubspot.emulator.errors import ApiError
from chatferry_hubspot.emulator.faults import OAUTH, REFUSALS
from chatferry_hubspot.emulator.refusals import refusal


class HubSpotMisbehaviour(Misbehaviour):
    """The faults of a running emulator, which may be limited to a path."""

    def before(self, scope: str, *, oauth: bool) -> Response | None:
        """Strike before a call is handled.

        :raises ApiError: if that is what the fault answers.
        """
        self.delay()
        if not oauth and (nothing := self.drop()):
            return nothing
        for name in OAUTH if oauth else REFUSALS:
            if target := self.strikes(name):
                answer = refusal(name, target.seconds, scope)
                if isinstance(answer, ApiError):
                    raise answer
                return answer
        return None

    def results(self, ordered: list[dict[str, Any]], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Strike on the results of a batch; ``ordered`` are those in the order of the inputs."""
        if self.strikes("reversed"):
            results = ordered[::-1]
        if results and self.strikes("results-missing"):
            results = results[:-1]
        if self.strikes("no-trace-ids"):
            results = [
                {name: value for name, value in one.items() if name != "objectWriteTraceId"}
                for one in results
            ]
        if results and self.strikes("results-extra"):
            stranger = {**results[0], "id": "1", "properties": {"hs_object_id": "1"}}
            results = [{name: stranger[name] for name in stranger if name != "objectWriteTraceId"}, *results]
        return results
