"""Post signed webhooks over kept-open connections, from a process of its own, and time each answer.

``load.py RECORDING URL CONNECTIONS [--rate N] [--seconds S]`` prints one JSON object. Without a rate
each connection posts again as soon as it is answered. With one, requests have due times, and waiting
for a free connection counts as latency: a slow server cannot slow its own measurement down.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import uuid
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import recorded

from chatferry.emulators.iadvize import signature

_EVENT_ID = b'"eventId":"'
_UUID = 36


def renewed(body: bytes) -> bytes:
    """Return an event's body with a new id, so that it is not taken for one seen before."""
    at = body.index(_EVENT_ID) + len(_EVENT_ID)
    return body[:at] + str(uuid.uuid4()).encode() + body[at + _UUID :]


def requests_of(kept: recorded.Recording, url: str, count: int) -> list[bytes]:
    """Return whole HTTP requests; more than there are webhooks are about the same conversations again."""
    parts = urlsplit(url)
    made = []
    for number in range(count):
        webhook = kept.webhooks[number % len(kept.webhooks)]
        body, headers = webhook.body, dict(webhook.headers)
        if number >= len(kept.webhooks):
            body = renewed(body)
            headers["x-iadvize-signature"] = signature(recorded.SECRET, body)
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        made.append("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return made


class Load:
    """What is still to be posted, and how it went."""

    def __init__(self, requests: list[bytes], rate: float | None) -> None:
        self.waiting: Iterator[bytes] = iter(requests)
        self.rate = rate
        self.left = len(requests)
        self.failed = 0
        self.latencies: list[float] = []
        self.idle: deque[_Connection] = deque()
        self.due: deque[tuple[float, bytes]] = deque()
        self.done = asyncio.get_running_loop().create_future()

    def answered(self, connection: _Connection, began: float, status: bytes) -> None:
        """Note an answer and give the connection something to do."""
        self.latencies.append(time.perf_counter() - began)
        self.failed += not status.startswith(b"2")
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)
        self.next(connection)

    def next(self, connection: _Connection) -> None:
        """Post what is due, or wait for it."""
        if self.rate is not None:
            if self.due:
                connection.post(*self.due.popleft())
            else:
                self.idle.append(connection)
        elif request := next(self.waiting, None):
            connection.post(time.perf_counter(), request)

    async def paced(self) -> None:
        """Make requests due at the rate, whatever the server does."""
        assert self.rate is not None
        began = time.perf_counter()
        for number, request in enumerate(self.waiting):
            at = began + number / self.rate
            if (early := at - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            if self.idle:
                self.idle.popleft().post(at, request)
            else:
                self.due.append((at, request))


class _Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self._load = load
        self._began = 0.0
        self._buffer = b""
        self._posting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def post(self, began: float, request: bytes) -> None:
        self._began = began
        self._posting = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        _, _, size = head.lower().partition(b"content-length:")
        if found and len(body) >= int(size.split(b"\r\n", 1)[0] or 0):
            self._buffer = b""
            self._posting = False
            if b"connection: close" in head.lower():
                self._load.done.get_loop().create_task(self._reopened(head[9:12]))
            else:
                self._load.answered(self, self._began, head[9:12])

    async def _reopened(self, status: bytes) -> None:
        """Open another connection where the server keeps none open; the client it serves has to wait."""
        loop = asyncio.get_running_loop()
        host, port = self._transport.get_extra_info("peername")[:2]
        self._transport.close()
        began, load = self._began, self._load
        _, connection = await loop.create_connection(lambda: _Connection(load), host, port)
        load.answered(connection, began, status)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._posting and not self._load.done.done():
            self._load.done.set_exception(ConnectionError("the server closed a connection"))


async def run(requests: list[bytes], url: str, connections: int, rate: float | None) -> dict[str, float]:
    """Post everything; return the rate, the percentiles in seconds, and when it began (monotonic)."""
    load = Load(requests, rate)
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(load), parts.hostname, parts.port)
        for _ in range(connections)
    ]
    began = time.perf_counter()
    for _, connection in opened:
        load.next(connection)
    pacing = asyncio.create_task(load.paced()) if rate else None
    await load.done
    seconds = time.perf_counter() - began
    if pacing:
        await pacing
    for transport, _ in opened:
        transport.close()
    ordered = sorted(load.latencies)
    found = {f"p{p}": ordered[min(len(ordered) - 1, len(ordered) * p // 100)] for p in (50, 95, 99)}
    return {
        "began": began,
        "seconds": seconds,
        "rate": len(requests) / seconds,
        "failed": load.failed,
        **found,
    }


def main() -> None:
    """Post and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", type=Path)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rate", type=float)
    chosen = parser.parse_args()
    requests = requests_of(recorded.load(chosen.recording), chosen.url, chosen.count)
    found = asyncio.run(run(requests, chosen.url, chosen.connections, chosen.rate))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
