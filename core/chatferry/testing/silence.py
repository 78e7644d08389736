"""Time-outs: requests get no answer until the CRM behaves again, before or after they are handled."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from chatferry.testing.trouble import Trouble

SILENCES = (Trouble.TIMEOUT_BEFORE, Trouble.TIMEOUT_AFTER)


class Silence:
    """WSGI middleware before an emulator. It blocks without end: a client without a time-out must fail."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._trouble: Trouble | None = None
        self._left: int | None = None
        self._key = ""

    def begin(self, trouble: Trouble, *, times: int | None = None, key: str | None = None) -> None:
        """Block the next ``times`` requests, or all; with a key, those that contain it."""
        self._over.clear()
        self._trouble, self._left, self._key = trouble, times, key or ""

    def end(self) -> None:
        """Block no more, and release the blocked requests."""
        self._trouble = None
        self._over.set()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the emulator does, or not at all."""
        trouble = self._strikes(environ)
        if trouble is None:
            return self._application(environ, start)
        if trouble is Trouble.TIMEOUT_AFTER:
            answer: Any = self._application(environ, lambda *_: lambda _: None)
            b"".join(answer)  # an application may work while its answer is read
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
