"""The HTTP connections to iAdvize's GraphQL endpoint.

gql's own transport logs what visitors wrote, hides the status of an answer and limits the time per
packet; this one has the same interface.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import msgspec
from gql import GraphQLRequest
from gql.transport.transport import Transport as GqlTransport
from graphql import ExecutionResult

from chatferry.errors import PlatformRefused, PlatformUnavailable
from chatferry.http import Bearer
from chatferry.http.exchange import bounded_session
from chatferry.iadvize.http import FieldRefused, KeyRefused, names_unknown_field, post

_POOL_SIZE: Final = 256
"""Connections that are kept open: one for each thread that reads (``runner.sync_threads``)."""
_UNAUTHENTICATED: Final = frozenset({"UNAUTHENTICATED", "UNAUTHORIZED", "INVALID_TOKEN"})
"""Codes with which GraphQL servers say 401 in an answer whose status is 200."""


class Transport(GqlTransport):
    """A gql transport whose errors are chatferry's; thread-safe, with a pool of connections."""

    def __init__(self, url: str, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._seconds = seconds
        self._clock = clock
        self._session = bounded_session(connections=_POOL_SIZE)
        # The jar is the one part of a session that threads must not share; nothing here needs cookies.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def execute(self, request: GraphQLRequest, *, auth: Bearer) -> ExecutionResult:
        """Send ``request``. The result may have data and errors.

        :raises PlatformUnavailable: if there is no answer, or none to use now.
        :raises PlatformRefused: if the document as a whole was refused.
        :raises PlatformAuthFailure: if the access key or the user's rights were.
        """
        body = post(
            self._session.post, self._url, self._seconds, self._clock, json=request.payload, auth=auth
        )
        return _result(body)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        # msgspec is much faster, and stricter: it refuses lone surrogates, which json accepts.
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise PlatformUnavailable("iAdvize answered with something that is not JSON") from None


def _result(body: bytes) -> ExecutionResult:
    answer = _decode(body)
    data = answer.get("data") if isinstance(answer, dict) else None
    errors = answer.get("errors") if isinstance(answer, dict) else None
    errors = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    if isinstance(data, dict):
        return ExecutionResult(data=data, errors=errors)
    if not errors:
        raise PlatformUnavailable("iAdvize answered with JSON that is no GraphQL result")
    if any(code(error) in _UNAUTHENTICATED for error in errors):
        raise KeyRefused("iAdvize refuses the access key")
    if any(
        names_unknown_field(str(error.get("message"))) or names_unknown_field(code(error) or "")
        for error in errors
    ):
        raise FieldRefused("iAdvize's schema has changed")
    raise PlatformRefused(f"iAdvize refused the document ({code(errors[0]) or 'no code given'})")


def code(error: Any) -> str | None:
    """Return the code of a GraphQL error if it is a plain word; messages may hold personal data."""
    extensions = error.get("extensions")
    found = extensions.get("code") if isinstance(extensions, dict) else None
    if isinstance(found, str) and found.isascii() and found.isidentifier() and len(found) <= 40:  # noqa: PLR2004  (a word)
        return found
    return None
