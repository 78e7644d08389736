"""A world that is served, a bearer to ask it with, and a receiver of webhooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import requests
from flask import Flask, Response, request
from private_values import IADVIZE_PASSWORD, IADVIZE_USER

from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, WebhookSettings, create_app


@dataclass
class Served:
    """A world behind a URL, with a session that is logged in."""

    world: IAdvizeWorld
    url: str
    session: requests.Session

    def login(self, **form):
        wanted = {
            "username": IADVIZE_USER,
            "password": IADVIZE_PASSWORD,
            "grant_type": "password",
        } | form
        return self.session.post(f"{self.url}/oauth2/token", data=wanted)

    def bear(self, **form):
        self.session.headers["Authorization"] = f"Bearer {self.login(**form).json()['access_token']}"
        return self

    def post(self, query, variables=None, *, platform=None, **options):
        return self.session.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables or {}},
            params={"platform": platform} if platform else {},
            timeout=5,
            **options,
        )

    def ask(self, query, variables=None, **options):
        body = self.post(query, variables, **options).json()
        assert "errors" not in body, body["errors"]
        return body["data"]


@dataclass
class Receiver:
    """Receives webhooks; answers the statuses it is given, then 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> Response:
        with self._lock:
            self.received.append(({k.lower(): v for k, v in request.headers.items()}, request.get_data()))
            return Response(status=self.statuses.pop(0) if self.statuses else 204)

    @property
    def events(self):
        return [json.loads(raw) for _, raw in self.received]


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Serve worlds until the test ends: ``serve(conversations=5)``."""
    ends = []

    def start(*, without=(), latency=0.0, **options) -> Served:
        world = IAdvizeWorld(**{"conversations": 5} | options)
        server = Server(create_app(world, without=without, latency=latency)).start()
        session = requests.Session()
        ends.extend((world.close, session.close, server.stop))
        return Served(world, server.url, session)

    yield start
    for end in ends:
        end()


@pytest.fixture
def served(serve) -> Served:
    """Twenty conversations, one of each plot, and a bearer."""
    return serve(conversations=20).bear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP receiver of webhooks."""
    app, receiver = Flask("receiver"), Receiver()
    app.post("/hook")(receiver.take)
    with Server(app) as server:
        receiver.url = f"{server.url}/hook"
        yield receiver


@pytest.fixture
def playing(serve, receiver) -> Callable[..., Served]:
    """Serve a world whose webhooks go to the receiver, a hundred times as fast."""

    def start(**options) -> Served:
        settings = WebhookSettings(target=receiver.url, secret="hush", time_scale=100.0)
        return serve(webhooks=settings, **options)

    return start
