"""One HTTP connection to iAdvize's GraphQL endpoint, for one thread at a time.

gql's own transport logs what visitors wrote, hides the status of an answer and waits per packet;
this one takes its place behind the same method.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import requests
from gql import GraphQLRequest
from gql.transport.exceptions import TransportClosed
from gql.transport.requests import RequestsHTTPTransport
from graphql import ExecutionResult

from chatferry.errors import PlatformRefused, PlatformUnavailable
from chatferry.iadvize.http import KeyRefused, check_status, connection_failure, read_body

_SIGNED_OUT = frozenset({"UNAUTHENTICATED", "UNAUTHORIZED", "INVALID_TOKEN"})
"""Codes with which GraphQL servers say 401 in an answer whose status is 200."""


class Transport(RequestsHTTPTransport):
    """A gql transport whose errors are chatferry's."""

    def __init__(self, url: str, seconds: float, clock: Callable[[], float] = time.time) -> None:
        super().__init__(url=url)
        self._seconds = seconds
        self._clock = clock

    def connect(self) -> None:
        """Make ready; the connection is opened by the first request."""
        super().connect()  # type: ignore[no-untyped-call]  # gql does not say

    def close(self) -> None:
        """Close the connection."""
        super().close()  # type: ignore[no-untyped-call]  # gql does not say

    def execute(
        self,
        request: GraphQLRequest,
        timeout: int | None = None,
        extra_args: dict[str, Any] | None = None,
        upload_files: bool = False,  # noqa: ARG002, FBT001, FBT002  (gql's signature)
    ) -> ExecutionResult:
        """Send ``request``; ``extra_args`` holds ``auth``. The result may have data and errors.

        :raises PlatformUnavailable: if there is no answer, or none to use now.
        :raises PlatformRefused: if the document as a whole was refused.
        :raises PlatformAuthFailure: if the access key or the user's rights were.
        """
        if self.session is None:
            raise TransportClosed("the transport is not connected")
        seconds = timeout or self._seconds
        try:
            with self.session.post(
                self.url,
                json=request.payload,
                timeout=seconds,
                stream=True,
                allow_redirects=False,
                **(extra_args or {}),
            ) as response:
                body = read_body(response, time.monotonic() + seconds)
        except requests.RequestException as error:
            raise connection_failure(error) from None
        check_status(response.status_code, response.headers, self._clock())
        return _result(body)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        # It is the faster reader by far, and the stricter: one half of an emoji is an error to it.
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
    if any(code(error) in _SIGNED_OUT for error in errors):
        raise KeyRefused("iAdvize refuses the access key")
    raise PlatformRefused(f"iAdvize refused the document ({code(errors[0]) or 'no code given'})")


def code(error: Any) -> str | None:
    """Return the code of a GraphQL error if it is a plain word; messages may hold personal data."""
    extensions = error.get("extensions")
    found = extensions.get("code") if isinstance(extensions, dict) else None
    if isinstance(found, str) and found.isascii() and found.isidentifier() and len(found) <= 40:  # noqa: PLR2004  (a word)
        return found
    return None
