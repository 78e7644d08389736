"""The Flask application: the webhook endpoint and three health checks.

Errors are JSON problem documents (RFC 9457), without personal data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from chatferry.errors import ChatferryError, LedgerError, WebhookRefused
from chatferry.iadvize.signature import HEADER
from chatferry.logs import frames, get_logger
from chatferry.model import Event

RETRY_AFTER = 10
"""Seconds; iAdvize's first retry comes after 10."""


class Accept(Protocol):
    """The signature of :meth:`chatferry.accept.acceptance.Acceptance.accept`."""

    def __call__(self, raw: bytes, *, signature: str | None, content_type: str | None) -> Event:
        """Verify and commit an event."""


def create_app(accept: Accept, ready: Callable[[], None], *, body_limit: int) -> Flask:
    """Return the application.

    :param accept: commits an event.
    :param ready: raises a :class:`~chatferry.errors.ChatferryError` while events cannot be stored.
    :param body_limit: bytes; a longer body is refused before it is read.
    """
    app = Flask("chatferry.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = body_limit + 1  # one byte more shows that a body was cut
    log = get_logger("chatferry.web")

    @app.post("/webhooks/iadvize")
    def webhook() -> Response:
        try:
            event = accept(
                _body(body_limit),
                signature=request.headers.get(HEADER),
                content_type=request.content_type,
            )
        except WebhookRefused as error:
            log.warning("webhook refused", status=error.status, reason=error.title, detail=error.detail)
            raise
        except LedgerError as error:
            log.error("webhook not stored", reason=str(error))  # noqa: TRY400  (the reason is enough)
            raise
        log.debug("webhook accepted", id=event.event_id, type=event.event_type)
        return Response(status=204)

    @app.get("/health")
    def health() -> dict[str, str]:
        """Answer iAdvize's marketplace, which polls this (iAdvize docs, "My Apps")."""
        return {"status": "UP"}

    @app.get("/livez")
    def alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    def prepared() -> Response | dict[str, str]:
        try:
            ready()
        except ChatferryError:
            return _problem(503, "Not ready", "the ledger is out of reach")
        return {"status": "ready"}

    app.register_error_handler(WebhookRefused, _refused)
    app.register_error_handler(LedgerError, _unavailable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
    return app


def _body(limit: int) -> bytes:
    """Return the request's body; of one that is too long little more than ``limit`` bytes are read.

    A chunked body does not announce its length and is cut instead.
    """
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raw = None
    if raw is None or len(raw) > limit:
        raise WebhookRefused(413, "Body too large", f"a body has {limit} bytes at most (web.body_limit)")
    return raw


def _problem(status: int, title: str, detail: str) -> Response:
    """Return a problem document."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    return Response(body, status=status, content_type="application/problem+json")


def _refused(error: WebhookRefused) -> Response:
    return _problem(error.status, error.title, error.detail)


def _unavailable(error: LedgerError) -> Response:
    del error  # its text names the database, which the sender must not see
    status = HTTPStatus.SERVICE_UNAVAILABLE
    answer = _problem(status, "Not stored", "the event could not be stored; send it again")
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def _unexpected(error: Exception) -> Response:
    get_logger("chatferry.web").error("request failed", error=type(error).__name__, at=frames(error))
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed", "chatferry could not answer; it is logged")


def _http(error: HTTPException) -> Response:
    return _problem(error.code or 500, error.name, error.description or error.name)
