"""HTTP faults: error responses, broken bodies and dropped connections instead of a GraphQL answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from flask import Response, request

from chatferry.emulators.faults import Fault, FaultBoard
from chatferry.emulators.iadvize.faults import number
from chatferry.emulators.server import reset_connection

HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Bad gateway</h1></body></html>"


def refuse(faults: FaultBoard, closing: threading.Event) -> Response | None:
    """Return the response of the fault that strikes, or None if none does.

    A slow answer is delayed here.
    """
    if fault := faults.strikes("slow"):
        closing.wait(number(fault, 2.0))
    if fault := faults.strikes("hang"):
        closing.wait(number(fault, 60.0))
        return reset()
    for name, answer in _INSTEAD.items():
        if fault := faults.strikes(name):
            return answer(fault)
    return None


def reset() -> Response:
    """Drop the connection: the client sees it reset, and no byte of an answer."""
    reset_connection(request.environ)
    return Response(status=500)


def truncated(body: bytes, content_type: str) -> Response:
    """Announce the whole body and send half of it."""
    answer = Response(iter((body[: len(body) // 2],)), content_type=content_type)
    answer.headers["Content-Length"] = str(len(body))
    return answer


def too_many_requests(fault: Fault, body: bytes) -> Response:
    """Answer 429, with ``Retry-After`` if the fault has a value."""
    answer = Response(body, status=429, content_type="application/json")
    if fault.value is not None:
        answer.headers["Retry-After"] = fault.value
    return answer


def _server_error(fault: Fault) -> Response:
    body = b'{"errors":[{"message":"Internal server error"}]}'
    return Response(body, status=int(number(fault, 500)), content_type="application/json")


_INSTEAD: Mapping[str, Callable[[Fault], Response]] = {
    "reset": lambda _: reset(),
    "rate-limited": lambda fault: too_many_requests(fault, b'{"errors":[{"message":"Too many requests"}]}'),
    "server-error": _server_error,
    "server-error-html": lambda fault: Response(HTML, status=int(number(fault, 502)), mimetype="text/html"),
    "html": lambda _: Response(HTML, mimetype="text/html"),
    "garbage": lambda _: Response(b'{"data":{"a0":{"id":"4c8c', content_type="application/json"),
}
