"""The applications chatferry's webhook endpoint is measured beside."""

from __future__ import annotations

from flask import Flask, Response, request


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
