"""HTTP requests to iAdvize: a deadline, a limit of the size, and what each status means."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from chatferry.errors import PlatformAuthFailure, PlatformRefused, PlatformUnavailable, SettingsError
from chatferry.http import may_carry_secrets, retry_after

LONGEST_ANSWER = 256 * 1024 * 1024
"""Bytes: 50 conversations of 100 long messages are a few million."""
_CHUNK = 1 << 18
_PAUSE = 60.0
"""Seconds to wait after a 429 without Retry-After; iAdvize documents none."""


class Overwhelmed(PlatformUnavailable):
    """The platform failed on a document (HTTP 500, 502, 504): perhaps it asks for too much."""


class TimedOut(Overwhelmed):
    """The platform did not answer in time."""


class Unreached(PlatformUnavailable):
    """No connection was established: the request was not sent."""


class KeyRefused(PlatformAuthFailure):
    """The platform refuses an access key; another login may help."""


def check_url(url: str) -> None:
    """Accept ``https://`` anywhere and ``http://`` on the loopback only: passwords travel there.

    :raises SettingsError: for anything else.
    """
    if not may_carry_secrets(url):
        raise SettingsError("iadvize api_url: https:// is required, except on the loopback")


def post(
    send: Callable[..., requests.Response],
    url: str,
    seconds: float,
    clock: Callable[[], float],
    **content: Any,
) -> bytes:
    """Send a request and return the body of its answer.

    :param send: the ``post`` of a session, or of requests itself.
    :param seconds: for the headers, and again for the body; time-outs of requests are per packet.
    :raises PlatformUnavailable: if the answer is late, too long, or breaks off.
    :raises PlatformError: for a status that is not 2xx; see :func:`check_status`.
    """
    try:
        with send(url, timeout=seconds, stream=True, allow_redirects=False, **content) as response:
            body = _read(response, time.monotonic() + seconds)
    except requests.RequestException as error:
        raise _connection_failure(error) from None
    check_status(response.status_code, response.headers, clock())
    return body


def _read(response: requests.Response, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > LONGEST_ANSWER:
            raise PlatformUnavailable(f"iAdvize's answer is longer than {LONGEST_ANSWER} bytes")
        if time.monotonic() > deadline:
            raise TimedOut("iAdvize did not finish its answer in time")
    return b"".join(chunks)


def _connection_failure(error: requests.RequestException) -> PlatformUnavailable:
    """Return the error for a request without a complete answer; the request itself is not shown."""
    if isinstance(error, requests.ReadTimeout) or any(isinstance(a, ReadTimeoutError) for a in error.args):
        return TimedOut("iAdvize did not answer in time")
    if _never_connected(error):
        return Unreached(f"iAdvize could not be reached ({type(error).__name__})")
    return PlatformUnavailable(f"iAdvize could not be reached or broke off ({type(error).__name__})")


def _never_connected(error: requests.RequestException) -> bool:
    reasons = (getattr(argument, "reason", None) for argument in error.args)
    return isinstance(error, requests.ConnectTimeout) or any(
        isinstance(reason, ConnectTimeoutError | NewConnectionError) for reason in reasons
    )


def check_status(status: int, headers: Mapping[str, str], now: float) -> None:
    """Raise the error that a status other than 2xx means; see :mod:`chatferry.errors`.

    :param now: seconds since the epoch, for a ``Retry-After`` that is a date.
    """
    if 200 <= status < 300:  # noqa: PLR2004  (the successes)
        return
    if status == HTTPStatus.UNAUTHORIZED:
        raise KeyRefused("iAdvize refuses the access key (HTTP 401)")
    if status == HTTPStatus.FORBIDDEN:
        raise PlatformAuthFailure("iAdvize forbids this to the configured user (HTTP 403); check its rights")
    wait = retry_after(headers.get("Retry-After"), now)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = _PAUSE if wait is None else wait
        raise PlatformUnavailable("iAdvize asks for a slower pace (HTTP 429)", retry_after=wait)
    if status in {400, 413, 414, 422}:
        raise PlatformRefused(f"iAdvize refused the document (HTTP {status})")
    failure = Overwhelmed if status in {500, 502, 504} and wait is None else PlatformUnavailable
    raise failure(f"iAdvize answered HTTP {status}", retry_after=wait)
