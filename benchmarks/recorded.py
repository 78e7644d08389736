"""iAdvize's side of a benchmark: answers recorded from the emulator, replayed at next to no cost.

The emulator executes GraphQL for real, which costs more CPU than everything chatferry does with the
answer, on the same cores. So the very documents chatferry sends are answered once by the emulator,
each conversation's part is kept, and the replay splices the parts into whatever document asks for
them, after a delay. Run as a script it is the replay: ``recorded.py FILE SECONDS`` prints its URL.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, create_app, webhooks
from chatferry.http.token_store import MemoryTokens
from chatferry.iadvize.client import IAdvize
from chatferry.settings.model import ClientSettings
from chatferry.settings.secrets import Secret

SECRET = "yourSecretToken"
PAGE = 50


class Webhook(msgspec.Struct):
    """A signed webhook about one conversation, as it is posted."""

    body: bytes
    headers: dict[str, str]


class Recording(msgspec.Struct):
    """What iAdvize answers and posts: JSON by conversation, by cursor where it is a further page."""

    schema: bytes = b""
    document: str = ""
    conversations: dict[str, bytes] = {}
    custom_data: dict[str, bytes] = {}
    pages: dict[str, dict[str, bytes]] = {}
    webhooks: list[Webhook] = []

    @property
    def average(self) -> float:
        """Bytes a conversation."""
        return sum(map(len, self.conversations.values())) / max(1, len(self.conversations))


def record(count: int, path: Path, *, seed: int = 7) -> Recording:
    """Ask the emulator for ``count`` conversations as chatferry does, and keep its answers in a file."""
    kept = Recording()
    with IAdvizeWorld(seed=seed, conversations=count) as world:
        app = create_app(world)
        app.wsgi_app = _Tap(app.wsgi_app, kept)  # type: ignore[method-assign]  # Flask's documented way
        client = world.clients[0]
        with Server(app) as server:
            iadvize = IAdvize(
                ClientSettings(
                    platform=client.platform,
                    client_id=client.client_id,
                    username=Secret(client.username),
                    password=Secret(client.password),
                    api_url=server.url,
                ),
                MemoryTokens(),
            )
            for start in range(0, count, PAGE):
                iadvize.fetch(world.ids[start : start + PAGE])
            iadvize.fetch(world.ids[:1])
            iadvize.close()
        for identity in world.ids:
            performance = world.performance(identity)
            assert performance is not None
            event = webhooks.closed(performance)
            body = event.body(time.time())
            kept.webhooks.append(Webhook(body=body, headers=webhooks.headers(SECRET, event, body)))
    path.write_bytes(msgspec.msgpack.encode(kept))
    return kept


def load(path: Path) -> Recording:
    """Return a recording from a file."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Recording)


class _Tap:
    """WSGI middleware that keeps what the emulator answers."""

    def __init__(self, app: Callable[..., Iterable[bytes]], kept: Recording) -> None:
        self._app = app
        self._kept = kept

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(asked)
        answer = b"".join(self._app(environ, start_response))
        if environ["PATH_INFO"] == "/graphql":
            self._keep(msgspec.json.decode(asked), answer)
        return [answer]

    def _keep(self, asked: dict[str, Any], answer: bytes) -> None:
        if "__schema" in asked["query"]:
            self._kept.schema = answer
            return
        variables = asked["variables"]
        for alias, raw in msgspec.json.decode(answer, type=dict[str, dict[str, msgspec.Raw]])["data"].items():
            identity = variables[alias.replace("c", "i")]
            if alias[0] == "d":
                self._kept.custom_data[identity] = bytes(raw)
            elif cursor := variables.get(alias.replace("c", "a")):
                self._kept.pages.setdefault(identity, {})[cursor] = bytes(raw)
            else:
                self._kept.conversations[identity] = bytes(raw)
                if len(asked["variables"]) <= 2:  # noqa: PLR2004  (an id, for the two queries about it)
                    self._kept.document = asked["query"]


class _Replay(asyncio.Protocol):
    """HTTP/1.1 as far as one well-known client needs it."""

    def __init__(self, kept: Recording, delay: float) -> None:
        self._kept = kept
        self._delay = delay
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self._buffer[:head_end])
        _, _, rest = head.lower().partition(b"content-length:")
        whole = head_end + 4 + int(rest.split(b"\r\n", 1)[0] or 0)
        if len(self._buffer) < whole:
            return
        body = bytes(self._buffer[head_end + 4 : whole])
        del self._buffer[:whole]
        asyncio.get_running_loop().call_later(self._delay, self._answer, head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if b"/oauth2/token" in head.split(b"\r\n", 1)[0]:
            parts = [b'{"token_type":"Bearer","expires_in":86400,"access_token":"recorded"}']
        else:
            parts = self._graphql(msgspec.json.decode(body))
        size = sum(map(len, parts))
        top = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
        self._transport.write(b"".join([top, *parts]))

    def _graphql(self, asked: dict[str, Any]) -> list[bytes]:
        if "__schema" in asked["query"]:
            return [self._kept.schema]
        variables: dict[str, str] = asked["variables"]
        parts: list[bytes] = []
        for name, identity in variables.items():
            number = name[1:]
            if name[0] == "i":
                cursor = variables.get(f"a{number}")
                raw = self._kept.pages[identity][cursor] if cursor else self._kept.conversations[identity]
                parts += [b"," if parts else b'{"data":{', b'"c%s":' % number.encode(), raw]
            elif name[0] == "d":
                parts += [b"," if parts else b'{"data":{', b'"d%s":' % number.encode()]
                parts.append(self._kept.custom_data[identity])
        return [*parts, b"}}"]


async def _serve(kept: Recording, delay: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Replay(kept, delay), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(load(Path(sys.argv[1])), float(sys.argv[2])))
