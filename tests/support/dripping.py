"""A server on the loopback that answers drop by drop, or too much."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\n"
PATIENCE = 10.0
"""Seconds in which an exchange with a time-out of a tenth must be over: it never is without a deadline."""


class Dripping:
    """A server on the loopback that answers each request with what ``answer`` writes."""

    def __init__(self, answer: Callable[[Callable[[bytes], None]], None]) -> None:
        self.answer = answer
        self.stopping = threading.Event()
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self.stopping.is_set():
                connection.close()
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while connection.recv(65_536):
                self.answer(connection.sendall)

    def drip(self, send: Callable[[bytes], None], piece: bytes) -> None:
        """Send a piece now and then until the test is over."""
        while not self.stopping.wait(0.01):
            send(piece)

    def close(self) -> None:
        self.stopping.set()
        socket.create_connection(self._listener.getsockname()).close()
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()


@contextmanager
def serving() -> Iterator[Callable[..., Dripping]]:
    """Start servers that end with the block: call what it gives with an answer."""
    running: list[Dripping] = []

    def serve(answer):
        running.append(Dripping(lambda send: answer(running[-1], send)))
        return running[-1]

    yield serve
    for one in running:
        one.close()


def dripped_headers(server, send):
    send(OK)
    server.drip(send, b"X-Drip: a\r\n")


def dripped_header(server, send):
    send(OK + b"X-Drip: ")
    server.drip(send, b"a")


def dripped_body(server, send):
    send(OK + b"Content-Length: 1000000\r\n\r\n")
    server.drip(send, b"x")


def dripped_chunks(server, send):
    send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    server.drip(send, b"1\r\nx\r\n")


def silence(server, send):  # noqa: ARG001  (as the others)
    server.stopping.wait(PATIENCE)


DRIPPING = (dripped_headers, dripped_header, dripped_body, dripped_chunks, silence)
"""Answers that never come to their end."""
