"""Bulkheads: thread pools that run the Flask application, so that a full one delays no other."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from flask import Flask

from chatferry.web.asgi_messages import AsgiResponse, Head
from chatferry.web.wsgi_call import call

STOPPED: Final = 5.0
"""Seconds without a single answer after which a pool with requests in it counts as stalled."""


class PoolStalled(Exception):
    """A pool is stalled, and so many requests wait in it that no further one is taken (load shedding)."""


class WorkerPool:
    """Some threads, and the requests that wait for one of them.

    :param longest: how many requests may wait while the pool is stalled; one that is not stalled takes
        them all.
    """

    def __init__(self, app: Flask, name: str, threads: int, longest: int) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._longest = longest
        self._inside = 0
        self._moved_at = 0.0

    async def answer(self, head: Head, body: bytes) -> AsgiResponse:
        """Return the application's answer to a request that has come whole.

        :raises PoolStalled: at once, if too many wait in a stalled pool.
        """
        loop = asyncio.get_running_loop()
        if not self._inside:
            self._moved_at = loop.time()
        if self._inside >= self._longest and loop.time() - self._moved_at > STOPPED:
            raise PoolStalled
        self._inside += 1
        try:
            return await loop.run_in_executor(self._pool, call, self._app, head, body)
        finally:
            self._inside -= 1
            self._moved_at = loop.time()


class SharedAnswers:
    """Request coalescing: equal requests that come while one is being answered share its answer."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._begun: dict[str, asyncio.Task[AsgiResponse]] = {}

    async def answer(self, head: Head) -> AsgiResponse:
        """Return the answer to a request without a body, of which only the method matters."""
        task = self._begun.get(head.method)
        if task is None or task.done():
            task = self._begun[head.method] = asyncio.create_task(self._pool.answer(head, b""))
        return await asyncio.shield(task)
