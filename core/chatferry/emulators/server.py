"""A WSGI server for an emulator, on a loopback port in a thread: real HTTP, stopped when the block ends."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import struct
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from flask import Flask
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _KeepAliveHandler(WSGIRequestHandler):
    """Keeps connections open, as the platforms do, and logs nothing.

    Werkzeug's own handler closes every connection, because it does not read what the application
    left unread of a body. This one reads the body first.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    open_connections: set[socket.socket]

    def setup(self) -> None:
        """Remember the connection, so that a stopping server can close it."""
        super().setup()
        self.open_connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        self.open_connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        """Answer one request; the connection stays open unless the answer is incomplete."""
        self.environ = environ = self.make_environ()
        if "wsgi.input_terminated" in environ:
            body = environ["wsgi.input"].read()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            answer = self._call(environ)
        except Exception:  # noqa: BLE001  (as any WSGI server: a broken application is a 500)
            answer = self._call(environ, InternalServerError())
        try:
            self._write(*answer)
        except OSError:
            # The application dropped the connection on purpose, or the client went away.
            self.close_connection = True

    def _call(self, environ: dict[str, Any], app: Any = None) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            started[:] = [status, headers]
            return started.append

        parts = (app or self.server.app)(environ, start_response)
        try:
            return started[0], started[1], b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        declared = {name.lower(): value for name, value in headers}.get("content-length")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if declared is None and code not in {"204", "304"}:
            self.send_header("Content-Length", str(len(body)))
        elif declared not in {None, str(len(body))} and self.command != "HEAD":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  (Werkzeug's signature)
        """Log nothing: request lines would drown the output of the program that runs the emulator."""


def reset_connection(environ: Mapping[str, Any]) -> None:
    """Drop the connection of a request: the client sees it reset, and no byte of an answer."""
    raw = environ.get("werkzeug.socket")
    if isinstance(raw, socket.socket):
        # SO_LINGER with time-out 0 makes the kernel send RST instead of FIN. Detached,
        # because the handler's reader would keep a merely closed socket open.
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(raw.detach())


class Server:
    """Serve ``app`` on ``host:port``; port 0 takes a free one. Use it as a context manager."""

    def __init__(self, app: Flask, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.app = app
        self._connections: set[socket.socket] = set()
        connections = self._connections

        class Handler(_KeepAliveHandler):
            open_connections = connections

        self._server: BaseWSGIServer = make_server(host, port, app, threaded=True, request_handler=Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://{self._server.host}:{self._server.server_port}"

    def start(self) -> Self:
        """Serve in the background."""
        self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Serve in this thread until interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """Stop serving, close the port and the connections that are still open."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
