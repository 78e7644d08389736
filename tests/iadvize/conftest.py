from __future__ import annotations

import time

import pytest
from flask import Flask, jsonify, request
from graphql import build_schema, graphql_sync
from private_values import IADVIZE_PASSWORD, IADVIZE_USER

from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, Logins, create_app
from chatferry.http.token_store import MemoryTokens
from chatferry.iadvize.client import IAdvize
from chatferry.settings.model import ClientSettings
from chatferry.settings.secrets import Secret


def client_settings(url, **options):
    return ClientSettings(
        **{
            "platform": "ha",
            "client_id": 335,
            "username": Secret(IADVIZE_USER, "env:IADVIZE_USER"),
            "password": Secret(IADVIZE_PASSWORD, "env:IADVIZE_PASSWORD"),
            "api_url": url,
            "timeout": 5.0,
        }
        | options
    )


class Emulated:
    """A served world, and clients of it that are closed at the end."""

    def __init__(self, world, url):
        self.world = world
        self.url = url
        self.clients = []

    def client(self, tokens=None, *, clock=None, **options):
        more = {"clock": clock} if clock else {}
        client = IAdvize(client_settings(self.url, **options), tokens or MemoryTokens(), page_pause=0, **more)
        self.clients.append(client)
        return client

    def requests(self):
        return self.world.counters["graphql requests"]


@pytest.fixture(scope="session")
def served():
    logins = Logins(per_user=1_000, per_address=1_000)
    with IAdvizeWorld(seed=7, conversations=150, logins=logins) as world, Server(create_app(world)) as server:
        yield Emulated(world, server.url)


@pytest.fixture
def emulated(served):
    """The emulator of the session, well-behaved again at the end."""
    yield served
    served.world.faults.switch_off()
    while served.clients:
        served.clients.pop().close()


class Platform:
    """A schema of one's own, served by graphql-core."""

    def __init__(self, sdl, root, refuse):
        self.schema = build_schema(sdl)
        self.app = Flask("platform")
        self.app.post("/oauth2/token")(lambda: jsonify(access_token="key", expires_in=86_400))

        @self.app.post("/graphql")
        def graphql():
            body = request.get_json()
            if refuse and (refusal := refuse(body)) is not None:
                return refusal
            result = graphql_sync(self.schema, body["query"], root, variable_values=body.get("variables"))
            return jsonify(result.formatted)


@pytest.fixture
def platform():
    """Return ``platform(sdl, root, refuse=..., clock=...)``, which makes a client of such a platform."""
    opened = []

    def serve(sdl, root, *, refuse=None, clock=time.time, **options):
        served = Platform(sdl, root, refuse)
        server = Server(served.app).start()
        client = IAdvize(client_settings(server.url, **options), MemoryTokens(), page_pause=0, clock=clock)
        client.platform = served
        opened.extend([client.close, server.stop])
        return client

    yield serve
    for close in opened:
        close()
