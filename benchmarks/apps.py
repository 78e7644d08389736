"""The applications chatferry's webhook endpoint is measured beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, request

if TYPE_CHECKING:
    from chatferry.web.front import Front


def noop() -> Flask:
    """Return an application that reads the body and answers; nothing can be accepted for less."""
    app = Flask(__name__, static_folder=None)

    @app.post("/webhooks/iadvize")
    def webhook() -> Response:
        request.get_data(cache=False)
        return Response(status=204)

    return app


def chatferry() -> Flask:
    """Return chatferry's own application, for a server other than its own."""
    from chatferry.web.wsgi import create  # noqa: PLC0415  (the no-op application does not need it)

    return create()


def chatferry_front() -> Front:
    """Return chatferry's ASGI front around it, for another ASGI server."""
    from chatferry.web.asgi import create  # noqa: PLC0415  (the same)

    return create()
