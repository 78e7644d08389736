"""The ASGI front of the endpoint: it reads requests without occupying a thread.

An ASGI application around the Flask one. What the head shows to be wrong is refused before the body is
read; a body is read under limits; only a complete request gets a thread. Health is answered by a pool of
its own, whatever webhooks do.
"""

from __future__ import annotations

from typing import Final

from flask import Flask

from chatferry.errors import WebhookRefused
from chatferry.settings.model import WebSettings
from chatferry.web.addresses import Addresses
from chatferry.web.app import READINESS, WEBHOOKS
from chatferry.web.asgi_messages import AsgiResponse, Head, Message, Receive, Send
from chatferry.web.bodies import Bodies
from chatferry.web.connections import CONNECTIONS
from chatferry.web.problems import busy, failed, refused
from chatferry.web.refusals import Refusals
from chatferry.web.request_heads import SIGNATURE, check_head
from chatferry.web.worker_pools import PoolStalled, SharedAnswers, WorkerPool

_ASKING: Final = frozenset({"GET", "HEAD"})
_ELSEWHERE: Final = WebhookRefused(
    404, "Not Found", f"a signed request came to another path than {WEBHOOKS}; correct the app's callback URL"
)


class Front:
    """The application an ASGI server runs."""

    def __init__(self, app: Flask, settings: WebSettings, refusals: Refusals) -> None:
        self._limit = settings.body_limit
        self._refusals = refusals
        self._addresses = Addresses(settings.trusted_proxies)
        self._bodies = Bodies(
            limit=settings.body_limit,
            timeout=settings.body_timeout,
            per_address=settings.bodies_per_address,
        )
        self._webhooks = WorkerPool(app, "webhook", settings.threads, CONNECTIONS // 2)
        self._readiness = SharedAnswers(WorkerPool(app, "readiness", 2, CONNECTIONS))
        self._others = WorkerPool(app, "other", 2, CONNECTIONS)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's own life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            answer = await self._answer_any(Head.of(scope), receive)
            await answer.send(send)

    async def _answer_any(self, head: Head, receive: Receive) -> AsgiResponse:
        try:
            return await self._answer(head, receive)
        except WebhookRefused as error:
            self._refusals.note(error)
            return AsgiResponse.of(refused(error))
        except PoolStalled:
            return AsgiResponse.of(busy())
        except Exception as error:  # noqa: BLE001  (the sender gets an answer, the log the place)
            return AsgiResponse.of(failed(error))

    async def _answer(self, head: Head, receive: Receive) -> AsgiResponse:
        if head.path == WEBHOOKS and head.method == "POST":
            check_head(head, self._limit)
            body = await self._bodies.read(receive, head, self._addresses.sender(head))
            return await self._webhooks.answer(head, body)
        if head.path == READINESS and head.method in _ASKING:
            return await self._readiness.answer(head)
        answer = await self._others.answer(head, b"")
        if answer.status == _ELSEWHERE.status and SIGNATURE in head.headers:
            self._refusals.note(_ELSEWHERE)
        return answer

    async def _live(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        self._refusals.sum_up()
        await send({"type": "lifespan.shutdown.complete"})
