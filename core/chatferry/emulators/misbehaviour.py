"""Faults that any HTTP API may have: slow answers, lost connections, answers that are spoilt.

An emulator adds the faults of its own platform to these two tables, and asks :class:`Misbehaviour` before
and after a call is handled.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from flask import Response, g, request

from chatferry.emulators.faults import Fault, FaultBoard

TIMEOUT: Final = 60.0
SLOW: Final = 2.0

CONNECTIONS: Final[Mapping[str, str]] = {
    "slow": "Every answer waits 2 seconds, or the seconds given, and is then as usual.",
    "timeout-before-commit": "Nothing is written and no answer comes for 60 seconds, or the seconds given.",
    "timeout-after-commit": "It is written, but no answer comes for 60 seconds, or the seconds given.",
    "reset-before-commit": "Nothing is written; the connection closes without an answer.",
    "reset-after-commit": "It is written; the connection closes without an answer.",
    "truncated": "It is written; the connection closes in the middle of the 2xx answer.",
}
"""What may happen to a connection, by name, a sentence each."""
ANSWERS: Final[Mapping[str, str]] = {
    "empty-body": "It is written; the 2xx answer has no body.",
    "cut-json": "It is written; the body of the 2xx answer stops halfway, with a matching length.",
    "html-ok": "It is written; the answer is 200 with an HTML page.",
}
"""What may be wrong with an answer, by name, a sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The value of a fault, after ``=``: a number is seconds, anything else a part of the path."""

    seconds: float | None = None
    path: str = ""

    @classmethod
    def of(cls, fault: Fault) -> Target:
        """Read the value of a fault."""
        seconds, path = None, ""
        for part in (fault.value or "").split(","):
            try:
                seconds = float(part)
            except ValueError:
                path = part or path
        return cls(seconds=seconds, path=path)


class Misbehaviour:
    """The faults of a running emulator, which may be limited to a path.

    Before a call is handled set ``flask.g.fault`` to an empty text and ``flask.g.unanswered`` to False;
    afterwards they say which faults have struck and whether the connection was closed without an answer.
    """

    def __init__(self, board: FaultBoard) -> None:
        self.board = board

    def strikes(self, name: str) -> Target | None:
        """Return the target of a fault that strikes this call; calls of other paths do not count."""
        on = next((fault for fault in self.board.on if fault.name == name), None)
        if on is None or Target.of(on).path not in request.path or self.board.strikes(name) is None:
            return None
        g.fault = f"{g.fault} {name}".strip()
        return Target.of(on)

    def delay(self) -> None:
        """Wait, if that is asked for."""
        if target := self.strikes("slow"):
            time.sleep(SLOW if target.seconds is None else target.seconds)

    def drop(self) -> Response | None:
        """Return no answer, if that is asked for, before anything is written."""
        if target := self.strikes("timeout-before-commit"):
            return _hang(target)
        return _closed() if self.strikes("reset-before-commit") else None

    def spoil(self, response: Response) -> Response:
        """Strike on a response, when everything is written; call it for 2xx answers only."""
        strikes: tuple[tuple[str, Callable[[Response, Target], Response]], ...] = (
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


def page(status: int) -> Response:
    """Return a gateway's answer, which is no JSON."""
    body = f"<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Response(body, status=status, mimetype="text/html")


def _replaced(response: Response, body: bytes) -> Response:
    return Response(body, status=response.status_code, mimetype="application/json")


def _hang(target: Target) -> Response:
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

    It sleeps while the body is sent: by then the call is counted and the emulator's lock is released.
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
