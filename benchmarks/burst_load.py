"""Open many connections at once, post one signed webhook over each, and time the answers.

``burst_load.py URL COUNT`` prints one JSON object. Every connection is begun before anything is sent, so
that the server's queue of connections is what is tested; one that the system drops there comes again after
1, 3, 7, 15 and 31 s, as TCP has it. A connection has 60 s.
"""

from __future__ import annotations

import json
import resource
import selectors
import socket
import sys
import time
import uuid
from collections import Counter
from urllib.parse import urlsplit

from chatferry.emulators.iadvize import signature

SECRET = "yourSecretToken"
PATIENCE = 60.0


def request(path: str) -> bytes:
    """Return a whole request with an event of its own."""
    ids = {"eventId": str(uuid.uuid4()), "conversationId": str(uuid.uuid4())}
    event = {
        "eventType": "v2.conversation.closed",
        "platform": "ha",
        "clientId": 335,
        "projectId": 3350,
        **ids,
    }
    body = json.dumps(event).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", f"X-iAdvize-Signature: {signature(SECRET, body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def burst(host: str, port: int, requests: list[bytes]) -> tuple[list[float], Counter[str]]:
    """Return how long each accepted webhook took, and how many ended how."""
    ready = selectors.DefaultSelector()
    began = time.perf_counter()
    for one in requests:
        connection = socket.socket()
        connection.settimeout(0)
        connection.connect_ex((host, port))
        ready.register(connection, selectors.EVENT_WRITE, one)
    times: list[float] = []
    ended: Counter[str] = Counter()
    while ready.get_map() and time.perf_counter() - began < PATIENCE:
        for key, _ in ready.select(1.0):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            try:
                if key.data:
                    connection.sendall(key.data)
                    ready.modify(connection, selectors.EVENT_READ, b"")
                    continue
                status = connection.recv(4096)[9:12].decode() or "closed"
            except OSError as error:
                status = type(error).__name__
            ended[status] += 1
            if status == "204":
                times.append(time.perf_counter() - began)
            ready.unregister(connection)
            connection.close()
    ended["no answer"] += len(ready.get_map())
    return sorted(times), +ended


def main() -> None:
    """Post and print."""
    parts, count = urlsplit(sys.argv[1]), int(sys.argv[2])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert parts.hostname
    assert parts.port
    times, ended = burst(parts.hostname, parts.port, [request(parts.path) for _ in range(count)])
    found = {
        f"p{p}": times[min(len(times) - 1, len(times) * p // 100)] if times else 0.0 for p in (50, 99, 100)
    }
    json.dump({**found, "accepted": len(times), "ended": ended}, sys.stdout)


if __name__ == "__main__":
    main()
