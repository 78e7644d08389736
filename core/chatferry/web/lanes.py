"""Threads that run the Flask application, in lanes of their own: a full lane holds no other one up."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from flask import Flask

from chatferry.web.exchange import Answer, Head
from chatferry.web.wsgi_call import call

STOPPED: Final = 5.0
"""Seconds without a single answer after which a lane with requests in it has come to a stop."""


class LaneFull(Exception):
    """A lane has come to a stop, and so many requests wait in it that another one is not taken."""


class Lane:
    """Some threads, and the requests that wait for one of them.

    :param longest: how many requests may be in the lane while it has come to a stop; one that goes on takes
        them all.
    """

    def __init__(self, app: Flask, name: str, threads: int, longest: int) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._longest = longest
        self._inside = 0
        self._moved_at = 0.0

    async def answer(self, head: Head, body: bytes) -> Answer:
        """Return the application's answer to a request that has come whole.

        :raises LaneFull: at once, if too many wait in a lane that has come to a stop.
        """
        loop = asyncio.get_running_loop()
        if not self._inside:
            self._moved_at = loop.time()
        if self._inside >= self._longest and loop.time() - self._moved_at > STOPPED:
            raise LaneFull
        self._inside += 1
        try:
            return await loop.run_in_executor(self._pool, call, self._app, head, body)
        finally:
            self._inside -= 1
            self._moved_at = loop.time()


class SharedAnswers:
    """A lane whose requests are all alike: those that come while one is being answered share its answer."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._begun: dict[str, asyncio.Task[Answer]] = {}

    async def answer(self, head: Head) -> Answer:
        """Return the answer to a request without a body, of which only the method matters."""
        task = self._begun.get(head.method)
        if task is None or task.done():
            task = self._begun[head.method] = asyncio.create_task(self._lane.answer(head, b""))
        return await asyncio.shield(task)
