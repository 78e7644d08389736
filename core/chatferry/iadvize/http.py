"""HTTP requests to iAdvize, and what each failure and each status means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from chatferry.errors import (
    PlatformAuthFailure,
    PlatformAway,
    PlatformRefused,
    PlatformUnavailable,
    SettingsError,
)
from chatferry.http import may_carry_secrets, retry_after
from chatferry.http.exchange import AnswerTooLong

_UNKNOWN_FIELD = re.compile(
    r"Cannot query field|Unknown (?:field|argument|type|fragment)|FieldUndefined|GRAPHQL_VALIDATION_FAILED",
    re.IGNORECASE,
)
_PAUSE = 60.0
"""Seconds to wait after a 429 without Retry-After; iAdvize documents none."""


class TimedOut(PlatformUnavailable):
    """The platform did not answer in time."""


class Unreached(PlatformAway):
    """No connection was established: the request was not sent."""


class FieldRefused(PlatformRefused):
    """The platform's schema does not have what the document asks for: it has changed."""


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

    :param send: the ``post`` of a :func:`~chatferry.http.exchange.bounded_session`.
    :param seconds: for the whole exchange.
    :raises PlatformUnavailable: if the answer is late, too long, or breaks off.
    :raises PlatformError: for a status that is not 2xx; see :func:`check_status`.
    """
    try:
        response = send(url, timeout=seconds, allow_redirects=False, **content)
    except requests.RequestException as error:
        raise _connection_failure(error) from None
    if response.status_code == HTTPStatus.BAD_REQUEST and names_unknown_field(response.content):
        raise FieldRefused("iAdvize's schema has changed (HTTP 400)")
    check_status(response.status_code, response.headers, clock())
    return response.content


def _connection_failure(error: requests.RequestException) -> PlatformUnavailable:
    """Return the error for a request without a complete answer; the request itself is not shown."""
    if isinstance(error, requests.ReadTimeout):
        return TimedOut("iAdvize did not answer in time")
    if isinstance(error, AnswerTooLong):
        return PlatformUnavailable(f"iAdvize's answer is too long: {error}")
    if _never_connected(error):
        return Unreached(f"iAdvize could not be reached ({type(error).__name__})")
    return PlatformUnavailable(f"iAdvize could not be reached or broke off ({type(error).__name__})")


def _never_connected(error: requests.RequestException) -> bool:
    reasons = (getattr(argument, "reason", None) for argument in error.args)
    return isinstance(error, requests.ConnectTimeout) or any(
        isinstance(reason, ConnectTimeoutError | NewConnectionError) for reason in reasons
    )


def names_unknown_field(text: bytes | str) -> bool:
    """Whether a refusal says that a document does not fit the schema, in the usual words or codes for it.

    The words are those of the GraphQL reference implementation and its ports; no vendor documents them.
    """
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return _UNKNOWN_FIELD.search(said) is not None


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
    raise PlatformUnavailable(f"iAdvize answered HTTP {status}", retry_after=wait)
