"""One HTTP exchange, bounded: a deadline from the connection to the last byte, and a size after unpacking.

The time-outs of requests hold for one packet each: whoever sends a byte now and then, a header's or a
body's, keeps a thread for as long as they like. Here every wait is for what is left of one time.
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Mapping
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ReadTimeoutError

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of an answer, unpacked."""
_PACKED: Final = 1 << 14
"""Bytes that are unpacked at once: a thousand times as many at most are in memory before they are counted."""


class AnswerTooLong(requests.RequestException):
    """An answer has more bytes than are read of one."""


def bounded_session(
    *, largest: int = LARGEST, retry: Retry | None = None, connections: int = 10
) -> requests.Session:
    """Return a session whose ``timeout`` is the time of a whole exchange, and which reads answers whole.

    A time-out is :class:`requests.Timeout` in every phase, an answer of more than ``largest`` bytes
    :class:`AnswerTooLong`. Name resolution is outside of any time-out that Python has.

    :param retry: which requests are sent again if no connection came about; all in one time.
    :param connections: that are kept open for each host.
    """
    session = requests.Session()
    adapter = BoundedAdapter(
        largest=largest, max_retries=retry or Retry(0, read=False), pool_maxsize=connections
    )
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class BoundedAdapter(HTTPAdapter):
    """Sends requests over connections that keep a deadline, and reads their answers whole."""

    def __init__(self, *, largest: int, **options: Any) -> None:
        self._largest = largest
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make connections that keep a deadline."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make connections through a proxy that keep a deadline."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send a request and return its answer, read to the end.

        :raises requests.Timeout: if the exchange takes longer than ``timeout``.
        :raises AnswerTooLong: if the answer does.
        """
        seconds = options.get("timeout")
        options |= {"stream": True, "timeout": None if seconds is None else _Deadline(seconds)}
        try:
            response = super().send(request, *args, **options)
            with response:
                response._content = self._read(response)  # noqa: SLF001  (as requests itself reads it)
        except requests.ConnectionError as error:
            if any(isinstance(cause, ReadTimeoutError) for cause in error.args):
                raise requests.ReadTimeout(error, request=request) from None
            raise
        return response

    def _read(self, response: requests.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_PACKED):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._largest:
                raise AnswerTooLong(f"the answer is longer than {self._largest} bytes")
        return b"".join(chunks)


class _Deadline(Timeout):
    """A time-out of urllib3 of which every wait, and every further try, gets what is left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(total=seconds)
        self._ends = time.monotonic() + seconds

    def clone(self) -> _Deadline:
        return self

    def start_connect(self) -> float:
        return time.monotonic()

    @property
    def connect_timeout(self) -> float:
        return max(self._ends - time.monotonic(), 0.001)

    @property
    def read_timeout(self) -> float:
        return max(self._ends - time.monotonic(), 0.0)


class _Reader(io.RawIOBase):
    """Reads a connection; every wait is for what is left until the end of the exchange."""

    def __init__(self, sock: Any, raw: io.RawIOBase, seconds: float | None) -> None:
        self._sock = sock
        self._raw = raw
        self._ends = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._ends is not None:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError("the exchange took too long")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer read until the time-out that its connection has when the request is sent."""

    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Reader(sock, self.fp.detach(), sock.gettimeout()))


class _PlainConnection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Final[Mapping[str, Any]] = {"http": _PlainPool, "https": _SecurePool}
