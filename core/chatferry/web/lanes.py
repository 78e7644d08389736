"""Threads that run the Flask application, in lanes of their own: a full lane holds no other one up."""

from __future__ import annotations

import asyncio
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask
from werkzeug import Response

from chatferry.web.exchange import Answer, Head


class LaneFull(Exception):
    """So many requests wait in a lane that another one is not taken."""


class Lane:
    """Some threads, and the requests that wait for one of them.

    :param longest: how many requests may be in the lane, those that are being answered included.
    """

    def __init__(self, app: Flask, name: str, threads: int, longest: int) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._longest = longest
        self._inside = 0

    async def answer(self, head: Head, body: bytes) -> Answer:
        """Return the application's answer to a request that has come whole.

        :raises LaneFull: at once, if too many wait.
        """
        if self._inside >= self._longest:
            raise LaneFull
        self._inside += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, _answer, self._app, head, body)
        finally:
            self._inside -= 1


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


def _answer(app: Flask, head: Head, body: bytes) -> Answer:
    return Answer.of(Response.from_app(app, _environ(head, body), buffered=True))


def _environ(head: Head, body: bytes) -> dict[str, Any]:
    """Return the request as WSGI (PEP 3333) wants it; the body's length is what came."""
    environ: dict[str, Any] = {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in head.headers.items()
    }
    for name in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_PROXY"):
        environ.pop(name, None)
    return environ | {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": head.path.encode().decode("latin-1"),
        "QUERY_STRING": head.query,
        "CONTENT_TYPE": head.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": head.peer,
        "SERVER_NAME": "chatferry",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
