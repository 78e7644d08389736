"""The Flask application: the webhook endpoint and three health checks.

Errors are JSON problem documents (RFC 9457), without personal data.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from chatferry.errors import ChatferryError, LedgerError, WebhookRefused
from chatferry.iadvize.signature import HEADER
from chatferry.logs import get_logger
from chatferry.model import Event
from chatferry.web.problems import problem, register_problems
from chatferry.web.refusals import Refusals
from chatferry.web.request_heads import too_large

WEBHOOKS: Final = "/webhooks/iadvize"
READINESS: Final = "/readyz"


class Accept(Protocol):
    """The signature of :meth:`chatferry.accept.acceptance.Acceptance.accept`."""

    def __call__(self, raw: bytes, *, signature: str | None, content_type: str | None) -> Event:
        """Verify and commit an event."""


def create_app(
    accept: Accept, ready: Callable[[], None], *, body_limit: int, refusals: Refusals | None = None
) -> Flask:
    """Return the application.

    :param accept: commits an event.
    :param ready: raises a :class:`~chatferry.errors.ChatferryError` while events cannot be stored.
    :param body_limit: bytes; a longer body is refused before it is read.
    :param refusals: counts refusals that need no secret, so that they do not fill the log.
    """
    counted = refusals or Refusals()
    app = Flask("chatferry.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = body_limit + 1  # one byte more shows that a body was cut
    app.url_map.strict_slashes = False
    log = get_logger("chatferry.web")

    @app.post(WEBHOOKS)
    def webhook() -> Response:
        try:
            event = accept(
                _body(body_limit),
                signature=request.headers.get(HEADER),
                content_type=request.content_type,
            )
        except WebhookRefused as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                counted.note(error)
            else:  # its sender knows a secret
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

    @app.get(READINESS)
    def prepared() -> Response | dict[str, str]:
        try:
            ready()
        except ChatferryError:
            return problem(503, "Not ready", "the ledger is out of reach")
        return {"status": "ready"}

    register_problems(app)
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
        raise too_large(limit)
    return raw
