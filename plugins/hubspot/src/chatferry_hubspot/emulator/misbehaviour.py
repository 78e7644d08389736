"""Fault injection: before a call is handled, on the results of a batch, and on the response."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Response, g, request

from chatferry.emulators import Fault, FaultBoard
from chatferry_hubspot.emulator.errors import ApiError
from chatferry_hubspot.emulator.faults import OAUTH, REFUSALS
from chatferry_hubspot.emulator.refusals import page, refusal

TIMEOUT = 60.0
SLOW = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The value of a fault, after ``=``: a number is seconds, anything else a part of the path."""

    seconds: float | None = None
    path: str = ""

    @classmethod
    def of(cls, fault: Fault) -> _Target:
        seconds, path = None, ""
        for part in (fault.value or "").split(","):
            try:
                seconds = float(part)
            except ValueError:
                path = part or path
        return cls(seconds=seconds, path=path)


class Misbehaviour:
    """The faults of a running emulator, which may be limited to a path."""

    def __init__(self, board: FaultBoard) -> None:
        self.board = board

    def strikes(self, name: str) -> _Target | None:
        """Return the target of a fault that strikes this call; calls of other paths do not count."""
        on = next((fault for fault in self.board.on if fault.name == name), None)
        if on is None or _Target.of(on).path not in request.path or self.board.strikes(name) is None:
            return None
        g.fault = f"{g.fault} {name}".strip()
        return _Target.of(on)

    def before(self, scope: str, *, oauth: bool) -> Response | None:
        """Strike before a call is handled.

        :raises ApiError: if that is what the fault answers.
        """
        if target := self.strikes("slow"):
            time.sleep(SLOW if target.seconds is None else target.seconds)
        if not oauth and (target := self.strikes("timeout-before-commit")):
            return _hang(target)
        if not oauth and self.strikes("reset-before-commit"):
            return _closed()
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

    def after(self, response: Response) -> Response:
        """Strike on the response, when everything is written; only 2xx answers change."""
        strikes: tuple[tuple[str, Callable[[Response, _Target], Response]], ...] = (
            ("timeout-after-commit", lambda _, target: _hang(target)),
            ("reset-after-commit", lambda _, _target: _closed()),
            ("truncated", lambda given, _: _truncated(given)),
            ("empty-body", lambda given, _: _replaced(given, b"")),
            ("cut-json", lambda given, _: _replaced(given, given.get_data()[: len(given.get_data()) // 2])),
            ("html-ok", lambda _, _target: page(200)),
        )
        for name, change in strikes:
            if target := self.strikes(name):
                return change(response, target)
        return response


def _replaced(response: Response, body: bytes) -> Response:
    return Response(body, status=response.status_code, mimetype="application/json")


def _hang(target: _Target) -> Response:
    """Wait without an answer, then close the connection."""
    return _closed(TIMEOUT if target.seconds is None else target.seconds)


def _closed(wait: float = 0.0) -> Response:
    g.unanswered = True
    return _Broken(b"", wait=wait)


def _truncated(response: Response) -> Response:
    body = response.get_data()
    return _Broken(body[: len(body) // 2], length=len(body), status=response.status_code)


class _Broken(Response):
    """An answer that ends with the connection: after a part of its body, or before its first byte.

    It sleeps while the body is sent: by then the call is counted and the account's lock is released.
    """

    def __init__(self, part: bytes, *, length: int = 0, status: int = 200, wait: float = 0.0) -> None:
        connection: socket.socket | None = request.environ.get("werkzeug.socket")
        super().__init__(_breaking(part, wait, connection), status=status, mimetype="application/json")
        if length:
            self.headers["Content-Length"] = str(length)


def _breaking(part: bytes, wait: float, connection: socket.socket | None) -> Iterator[bytes]:
    time.sleep(wait)
    if part:
        yield part
    if connection is not None:
        with suppress(OSError):  # the client may have closed it first
            connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError
