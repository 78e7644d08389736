"""Reading bodies from senders that may be slow, hostile or gone: each has a limit and a deadline.

A body that is still coming holds no thread, only memory.
"""

from __future__ import annotations

import asyncio

from chatferry.errors import WebhookRefused
from chatferry.web.asgi_messages import Head, Receive
from chatferry.web.request_heads import too_large
from chatferry.web.slow_bodies import SlowBodyLimit


class Bodies:
    """Read bodies.

    :param limit: bytes a body may have.
    :param timeout: seconds a body may take.
    :param per_address: incomplete bodies of one address at a time.
    """

    def __init__(self, *, limit: int, timeout: float, per_address: int) -> None:
        self._limit = limit
        self._timeout = timeout
        self._slow = SlowBodyLimit(per_address)

    async def read(self, receive: Receive, head: Head, address: str) -> bytes:
        """Return a body that came whole.

        :param address: the sender's.
        :raises WebhookRefused: 400 if it broke off, 408 if it took too long, 413 if it is too long.
        """
        body = _Body(receive, self._limit, head.headers.get("content-length"))
        try:
            async with asyncio.timeout(self._timeout) as deadline:
                if not await body.is_whole():
                    with self._slow.incomplete(deadline, address):
                        while not await body.is_whole():
                            pass
        except TimeoutError:
            detail = f"the body did not come within {self._timeout:g} s (web.body_timeout)"
            raise WebhookRefused(408, "Body too slow", detail) from None
        return b"".join(body.parts)


class _Body:
    """What has come of a body.

    :param length: what the head says of it, if it does.
    """

    def __init__(self, receive: Receive, limit: int, length: str | None) -> None:
        self.parts: list[bytes] = []
        self._receive = receive
        self._limit = limit
        self._length = int(length) if length else None
        self._come = 0

    async def is_whole(self) -> bool:
        """Wait for another part; return whether it was the last.

        Where the length is known no further message is waited for: each costs a turn of the event loop.
        """
        message = await self._receive()
        if message["type"] != "http.request":
            raise WebhookRefused(400, "Body incomplete", "the body broke off, or its chunks are malformed")
        self.parts.append(message.get("body", b""))
        self._come += len(self.parts[-1])
        if self._come > self._limit:
            raise too_large(self._limit)
        return self._come == self._length or not message.get("more_body", False)
