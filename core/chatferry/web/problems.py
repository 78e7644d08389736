"""Errors as JSON problem documents (RFC 9457), which say what was wrong and nothing personal."""

from __future__ import annotations

import json
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from chatferry.errors import LedgerError, WebhookRefused
from chatferry.logs import frames, get_logger

RETRY_AFTER = 10
"""Seconds; iAdvize's own first retry comes then."""


def problem(status: int, title: str, detail: str) -> Response:
    """Return a problem document."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    return Response(body, status=status, content_type="application/problem+json")


def register_problems(app: Flask) -> None:
    """Answer every error with a problem document."""
    app.register_error_handler(WebhookRefused, refused)
    app.register_error_handler(LedgerError, _unavailable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, failed)


def refused(error: WebhookRefused) -> Response:
    """Answer a webhook that is not ours to keep."""
    return problem(error.status, error.title, error.detail)


def busy() -> Response:
    """Answer a request that too many others are ahead of."""
    return _later("Busy", "too many requests wait for an answer; send it again")


def _unavailable(error: LedgerError) -> Response:
    del error  # its text names the database, which is not the sender's business
    return _later("Not stored", "the event could not be stored; send it again")


def _later(title: str, detail: str) -> Response:
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, title, detail)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def failed(error: Exception) -> Response:
    """Answer a request that made us fail, and log where."""
    get_logger("chatferry.web").error("request failed", error=type(error).__name__, at=frames(error))
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed", "chatferry could not answer; it is logged")


def _http(error: HTTPException) -> Response:
    return problem(error.code or 500, error.name, error.description or error.name)
