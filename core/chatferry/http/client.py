"""The calls of one destination to its CRM's HTTP API: one session, a token, a pace, a time for the work."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import requests
from urllib3 import Retry

from chatferry._version import __version__
from chatferry.errors import DeliveryError, TemporaryFailure
from chatferry.http.answer import HttpAnswer, read_answer
from chatferry.http.bearer import Bearer
from chatferry.http.exchange import AnswerTooLong, bounded_session
from chatferry.http.pace import Pace
from chatferry.http.tokens import Token, TokenSource

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, unpacked."""


class ApiClient(ABC):
    """Calls the HTTP API of one CRM. Subclass it, name the CRM, and say what its answers mean.

    :cvar crm: the CRM's name in messages.
    :ivar calls: how many calls were sent.
    :param base_url: where paths start, unless the token says otherwise.
    :param timeout: seconds for one exchange, from the connection to the last byte.
    :param pace: keeps clear of the CRM's limits.
    """

    crm: ClassVar[str] = "the CRM"

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pace = pace or Pace(self.crm)
        self.calls = 0
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._clock = clock
        self._deadline: float | None = None
        self._session = _new_session()

    @property
    @abstractmethod
    def tokens(self) -> TokenSource:
        """Where the bearer token comes from."""

    @abstractmethod
    def error_of(self, answer: HttpAnswer) -> DeliveryError | None:
        """Return what an answer means, None if it is a success."""

    def begin(self, seconds: float | None) -> None:
        """Start a piece of work: no call is sent later than ``seconds`` from now."""
        self._deadline = None if seconds is None else self._clock() + seconds

    def request(
        self, method: str, path: str, *, payload: Any = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """Send a call and return its answer; where the token is refused, once more with another token.

        :param path: below the base address, percent-encoded.
        :param payload: sent as JSON.
        :raises DeliveryError: of the class that :meth:`error_of` finds.
        """
        token = self.tokens.get()
        answer = self._send(token, method, path, payload, headers)
        if answer.status == HTTPStatus.UNAUTHORIZED and self.tokens.renew(token):
            answer = self._send(self.tokens.get(), method, path, payload, headers)
        return self._good(answer)

    def exchange_form(self, url: str, form: Mapping[str, str]) -> HttpAnswer:
        """Send a form to a token endpoint, without a token, and return its answer.

        :raises DeliveryError: of the class that :meth:`error_of` finds.
        """
        return self._good(self._exchange("POST", url, None, data=form))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _good(self, answer: HttpAnswer) -> HttpAnswer:
        error = self.error_of(answer)
        if error is not None:
            raise error
        return answer

    def _send(
        self, token: Token, method: str, path: str, payload: Any, headers: Mapping[str, str] | None
    ) -> HttpAnswer:
        if self._deadline is not None and self._clock() >= self._deadline:
            raise TemporaryFailure(f"{self.crm} was too slow for the rest of the batch")
        self.pace.before()
        content = {} if payload is None else {"data": as_json(payload)}
        typed = {} if payload is None else {"Content-Type": "application/json"}
        url = (token.base_url or self._base_url).rstrip("/") + path
        answer = self._exchange(method, url, token.value, headers={**typed, **(headers or {})}, **content)
        self.pace.after(answer)
        return answer

    def _exchange(self, method: str, url: str, token: str | None, **content: Any) -> HttpAnswer:
        self.calls += 1
        try:
            response = self._session.request(
                method, url, auth=Bearer(token), timeout=self._timeout, allow_redirects=False, **content
            )
        except requests.Timeout:
            raise TemporaryFailure(f"{self.crm} did not answer in time; it may have written or not") from None
        except AnswerTooLong as error:
            raise TemporaryFailure(f"{self.crm}'s answer is not read: {error}") from None
        except requests.RequestException as error:
            raise TemporaryFailure(f"{self.crm} cannot be reached ({type(error).__name__})") from None
        return read_answer(response)


def as_json(payload: Any) -> bytes:
    """Return a payload as UTF-8: escaped, a transcript in Greek or emoji is up to six times as long."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _new_session() -> requests.Session:
    """Return a session that tries again only where nothing can have been written.

    That is: when no connection came about, and when reading. Everything else is left to the
    engine, which knows how often and for how long, and survives a restart.
    """
    retry = Retry(
        total=2,
        connect=2,
        read=2,
        status=0,
        other=0,
        redirect=0,
        allowed_methods={"GET"},
        backoff_factor=0.2,
        respect_retry_after_header=False,
    )
    session = bounded_session(largest=LARGEST, retry=retry)
    session.headers["User-Agent"] = f"chatferry/{__version__}"
    session.headers["Accept"] = "application/json"
    return session
