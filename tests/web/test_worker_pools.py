"""The front by itself, where a real server cannot be brought into the state in a test's time."""

from __future__ import annotations

import asyncio
import threading

import pytest
from flask import Flask

from chatferry.settings.model import WebSettings
from chatferry.web.app import create_app
from chatferry.web.asgi_messages import Head
from chatferry.web.front import Front
from chatferry.web.problems import busy
from chatferry.web.refusals import Refusals
from chatferry.web.worker_pools import PoolStalled, WorkerPool

ASKED = Head(method="GET", path="/", query="", headers={}, peer="192.0.2.1")


async def get(front: Front, path: str) -> tuple[int, dict[bytes, bytes]]:
    """Ask as an ASGI server does."""
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await front({**scope, "client": ("192.0.2.1", 1)}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


def test_while_the_ledger_hangs_health_answers_and_readiness_is_asked_for_once():
    hangs, asked = threading.Event(), []

    def ready() -> None:
        asked.append(1)
        hangs.wait(60)

    front = Front(create_app(None, ready, body_limit=1000), WebSettings(), Refusals())

    async def ask():
        waiting = [asyncio.create_task(get(front, "/readyz")) for _ in range(5000)]
        await asyncio.sleep(0)
        assert [(await get(front, path))[0] for path in ("/health", "/livez")] == [200, 200]
        hangs.set()
        assert {status for status, _ in await asyncio.gather(*waiting)} == {200}
        assert len(asked) == 1
        assert (await get(front, "/readyz"))[0] == 200
        assert len(asked) == 2

    asyncio.run(ask())


def test_a_lane_that_has_come_to_a_stop_takes_no_more_than_it_may(monkeypatch):
    hangs = threading.Event()
    app = Flask("slow")

    @app.get("/")
    def slow() -> str:
        hangs.wait(60)
        return "done"

    async def ask():
        pool = WorkerPool(app, "narrow", threads=1, longest=2)
        waiting = [asyncio.create_task(pool.answer(ASKED, b"")) for _ in range(3)]  # it may only be slow
        await asyncio.sleep(0)
        monkeypatch.setattr("chatferry.web.worker_pools.STOPPED", -1.0)
        with pytest.raises(PoolStalled):
            await pool.answer(ASKED, b"")
        hangs.set()
        assert [answer.body for answer in await asyncio.gather(*waiting)] == [b"done"] * 3
        assert (await pool.answer(ASKED, b"")).status == 200

    asyncio.run(ask())


def test_a_webhook_that_finds_its_lane_full_is_asked_to_come_again():
    answer = busy()
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
