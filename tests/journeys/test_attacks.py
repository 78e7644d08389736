"""A server under all attacks at once that need no secret: webhooks are acknowledged meanwhile.

``--mutations 20000`` sends more spoilt requests.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from web_process import Web, event, head, signed, web_server

THREADS = 64
ALLOWED_THREADS = THREADS + 30
"""Those that run Flask, those for health, and what Python and the server have."""
ALLOWED_GROWTH = 30_000
"""Kilobytes of memory in the second half of the spoilt requests; a leak of one body each is more."""


class Witness:
    """Posts good webhooks all the time, and counts what is acknowledged."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.statuses: list[int] = []
        self.stopping = threading.Event()

    def post(self) -> None:
        while not self.stopping.wait(0.05):
            self.statuses.append(self.web.post(event()).status_code)

    @contextmanager
    def watching(self):
        thread = threading.Thread(target=self.post)
        thread.start()
        try:
            yield self
        finally:
            self.stopping.set()
            thread.join()


def http2_streams(count: int) -> bytes:
    """The beginning of a connection of HTTP/2 with requests that never end."""

    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        size = struct.pack(">I", len(payload))[1:]
        return size + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    fields = {":method": "POST", ":path": "/webhooks/iadvize", ":scheme": "http", ":authority": "x"}
    packed = b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )
    begun = b"".join(frame(1, 4, 2 * n + 1, packed) + frame(0, 0, 2 * n + 1, b"{") for n in range(count))
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + begun


def good_request(chance: random.Random) -> bytes:
    raw = event(padding="x" * chance.randrange(400))
    if chance.random() < 0.5:
        return head(f"X-iAdvize-Signature: {signed(raw)}", f"Content-Length: {len(raw)}") + raw
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(raw), raw)
    return head(f"X-iAdvize-Signature: {signed(raw)}", "Transfer-Encoding: chunked") + chunks


def spoilt(chance: random.Random) -> bytes:
    """A good request with something wrong about it, anywhere."""
    made = bytearray(good_request(chance))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) or 1)
        match chance.randrange(5):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at:]
            case 2:
                del made[at : at + chance.randint(1, 40)]
            case 3:
                made[at:at] = chance.randbytes(chance.randint(1, 40))
            case _:
                made[at:at] = made[: chance.randrange(len(made) or 1)]
    return bytes(made)


def send(web: Web, request: bytes, *, waits: bool) -> None:
    """Send something; wait for an answer, or hang up at once. Whatever comes back is well."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", web.port), timeout=60) as connection:
        connection.sendall(request)
        if waits:
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass


def send_spoilt(web: Web, count: int, seed: int) -> None:
    chance = random.Random(seed)
    with ThreadPoolExecutor(8) as senders:
        for _ in range(count):
            senders.submit(send, web, spoilt(chance), waits=chance.random() < 0.8)


def figures(pid: int) -> tuple[int, int]:
    """A process's threads and its memory in kilobytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return int(found["Threads"]), int(found["VmRSS"].split()[0])


@pytest.mark.slow
def test_under_siege_webhooks_are_acknowledged_and_nothing_is_leaked(tmp_path, request, record_property):
    count = request.config.getoption("--mutations")
    more = f"body_timeout = 60\nthreads = {THREADS}"
    with web_server(tmp_path, more) as web, ExitStack() as held, Witness(web).watching() as witness:
        process = web.web_process()
        with suppress(OSError):
            held.enter_context(web.connect(http2_streams(64)))
        for _ in range(64):
            held.enter_context(web.connect(head("Content-Length: 2000") + b"{"))
        for _ in range(200):
            held.enter_context(web.connect())
        send_spoilt(web, count // 2, seed=1)
        _, before = figures(process)
        send_spoilt(web, count // 2, seed=2)
        threads, after = figures(process)
        seen = len(witness.statuses)
        web.until(lambda: len(witness.statuses) > seen + 5)
        assert [web.get(path) for path in ("/health", "/livez", "/readyz")] == [200] * 3
    assert set(witness.statuses) == {204}
    assert threads <= ALLOWED_THREADS
    assert after - before < ALLOWED_GROWTH, (before, after)
    assert not web.lines("web process replaced")
    record_property(
        "attacks", f"{len(witness.statuses)} acknowledged, {threads} threads, {before} and {after} kB"
    )
