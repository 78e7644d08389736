"""The troubles of a network, as WSGI middleware before a CRM: other answers, none, broken connections."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from chatferry.emulators.server import reset_connection
from chatferry.testing.trouble import Trouble

SILENCES: Final = (Trouble.TIMEOUT_BEFORE, Trouble.TIMEOUT_AFTER)
_PAGE = b"<!DOCTYPE html><html><body><h1>Bad gateway</h1></body></html>"
_ANSWERS: Final[Mapping[Trouble, tuple[str, str, bytes]]] = {
    Trouble.SERVER_ERROR: ("500 Internal Server Error", "application/json", b'{"message": "internal error"}'),
    Trouble.HTML_ERROR: ("502 Bad Gateway", "text/html", _PAGE),
    Trouble.HTML_ANSWER: ("200 OK", "text/html", _PAGE),
    Trouble.EMPTY_ANSWER: ("200 OK", "application/json", b""),
}
NETWORK: Final = (*_ANSWERS, Trouble.RESET, *SILENCES)
"""The troubles that need no knowledge of the CRM."""


class NetworkTrouble:
    """Stands before an application, and answers in its place while there is trouble.

    A silence has no end of its own: a client without a time-out must fail. Only
    :attr:`~chatferry.testing.Trouble.TIMEOUT_AFTER` lets a request through.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._trouble: Trouble | None = None
        self._left: int | None = None
        self._key = ""

    def begin(self, trouble: Trouble, *, times: int | None = None, key: str | None = None) -> None:
        """Give trouble to the next ``times`` requests, or to all; with a key, to those that contain it."""
        self._over.clear()
        self._trouble, self._left, self._key = trouble, times, key or ""

    def end(self) -> None:
        """Let all requests through, and release those that wait in a silence."""
        self._trouble = None
        self._over.set()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the application does, or as the trouble says."""
        trouble = self._strikes(environ)
        if trouble is None:
            return self._application(environ, start)
        if trouble in _ANSWERS:
            status, kind, body = _ANSWERS[trouble]
            start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
            return [body]
        if trouble is Trouble.TIMEOUT_AFTER:
            answer: Any = self._application(environ, lambda *_: lambda _: None)
            b"".join(answer)  # an application may work while its answer is read
        if trouble is Trouble.RESET:
            reset_connection(environ)
        else:
            self._over.wait()
        start("503 Service Unavailable", [("Content-Length", "0"), ("Connection", "close")])
        return []

    def _strikes(self, environ: WSGIEnvironment) -> Trouble | None:
        if self._trouble is None or self._key not in _text(environ):
            return None
        with self._lock:
            if self._left is not None:
                self._left -= 1
            return self._trouble if self._left is None or self._left >= 0 else None


def _text(environ: WSGIEnvironment) -> str:
    """Return the path and the body of a request, and leave the body to be read again."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    said = (environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""), body.decode(errors="replace"))
    return unquote("\n".join(said))
