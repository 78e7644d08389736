"""One call of HubSpot: sent with time-outs and a bearer token, its answer turned into an outcome."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from chatferry import AuthFailure, DeliveryError, Memory, TemporaryFailure, __version__
from chatferry.http import Bearer
from chatferry_hubspot.answers import Answer, Forbidden, NoSuchObject, Refused, complain
from chatferry_hubspot.auth import OAuthToken, StaticToken, Token
from chatferry_hubspot.limits import Pace, limit_error
from chatferry_hubspot.paths import Path
from chatferry_hubspot.settings import Options

CONNECT_TIMEOUT = 5.0
LOCKED_WAIT = 2.0
MIGRATION_WAIT = 3600.0
CORRELATION = "X-HubSpot-Correlation-Id"
MIGRATING = 477
"""HubSpot's own status: the account is on its way to another data centre."""


def new_session() -> requests.Session:
    """Return a session that tries again only where nothing can have been written.

    That is: when no connection came about, and when reading. Everything else is told to the
    engine, which knows how often and for how long, and survives a restart.
    """
    session = requests.Session()
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
    session.mount("https://", HTTPAdapter(max_retries=retry))
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.headers["User-Agent"] = f"chatferry/{__version__}"
    session.headers["Accept"] = "application/json"
    return session


def judge(answer: Answer, time_zone: str | None, pace: Pace) -> DeliveryError | None:  # noqa: PLR0911  (a table of statuses, read from the top)
    """Return what an answer means, None if it is a success; the status decides first."""
    complaint = complain(answer.body)
    told = complaint.told
    if 200 <= answer.status < 300:  # noqa: PLR2004  (the range of success)
        if answer.legible:
            return None
        return TemporaryFailure(f"HubSpot's answer is no JSON ({answer.status})", **told)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return AuthFailure("HubSpot refuses the token (401): check that it is whole and not revoked", **told)
    if answer.status == HTTPStatus.FORBIDDEN:
        return Forbidden(complaint)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return limit_error(answer, complaint, time_zone, pace.now())
    wait = answer.retry_after
    if answer.status == HTTPStatus.LOCKED:
        return TemporaryFailure(
            "HubSpot has locked the record (423)", retry_after=max(LOCKED_WAIT, wait or 0.0), **told
        )
    if answer.status == MIGRATING:
        return TemporaryFailure(
            "HubSpot is moving the account (477)",
            retry_after=MIGRATION_WAIT if wait is None else wait,
            **told,
        )
    if answer.status >= 500 or answer.status < 400 or answer.status == HTTPStatus.REQUEST_TIMEOUT:  # noqa: PLR2004  (HTTP)
        return TemporaryFailure(f"HubSpot is away (HTTP {answer.status})", retry_after=wait, **told)
    if complaint.no_object:
        return NoSuchObject(answer.status, complaint)
    return Refused(answer.status, complaint)


class Client:
    """Calls HubSpot for one destination over one session."""

    def __init__(
        self,
        options: Options,
        memory: Memory,
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options
        self.pace = pace or Pace(options.time_zone)
        self.calls = 0
        self._clock = clock
        self._deadline: float | None = None
        self._session = new_session()
        self._token = self._token_source(options, memory)

    def _token_source(self, options: Options, memory: Memory) -> Token:
        if options.access_token is not None:
            return StaticToken(options.access_token)
        if options.client_id is None or options.client_secret is None or options.refresh_token is None:
            raise AuthFailure("there is no access_token, and no complete OAuth settings either")
        return OAuthToken(
            client_id=options.client_id,
            client_secret=options.client_secret,
            refresh_token=options.refresh_token,
            memory=memory,
            exchange=self._exchange,
            clock=self._clock,
        )

    def begin(self, seconds: float | None) -> None:
        """Start a piece of work: no call is sent later than ``seconds`` from now."""
        self._deadline = None if seconds is None else self._clock() + seconds

    def call(self, path: Path, payload: Mapping[str, Any] | None = None, **parts: str) -> Mapping[str, Any]:
        """Call HubSpot and return the answer's JSON.

        :raises DeliveryError: of the class that fits the answer; :class:`Refused` if it is about data.
        """
        token = self._token.get()
        answer = self._send(path, token, payload, parts)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._token.renew(token):
            answer = self._send(path, self._token.get(), payload, parts)
        error = judge(answer, self.options.time_zone, self.pace)
        if error is not None:
            raise error
        return answer.body

    def ask(
        self, path: Path, payload: Mapping[str, Any] | None = None, **parts: str
    ) -> list[Mapping[str, Any]]:
        """Call HubSpot for what there is, and return the ``results``.

        :raises TemporaryFailure: if the answer has none: that nothing was said is no proof that
            there is nothing.
        """
        results = self.call(path, payload, **parts).get("results")
        if not isinstance(results, list):
            raise TemporaryFailure("HubSpot's answer holds no results where there should be some")
        return [item for item in results if isinstance(item, Mapping)]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _send(
        self, path: Path, token: str, payload: Mapping[str, Any] | None, parts: Mapping[str, str]
    ) -> Answer:
        if self._deadline is not None and self._clock() >= self._deadline:
            raise TemporaryFailure("HubSpot was too slow for the rest of the batch")
        self.pace.before()
        answer = self._exchange_http(path, parts, token, **_json(payload))
        self.pace.after(answer.headers)
        return answer

    def _exchange(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        answer = self._exchange_http(Path.TOKEN, {}, None, data=form)
        error = judge(answer, self.options.time_zone, self.pace)
        if isinstance(error, Refused):
            raise AuthFailure(
                f"HubSpot refuses to renew the token ({error.status}): authorise the app again",
                crm_message=error.crm_message,
                code=error.code,
                reference=error.reference,
            )
        if error is not None:
            raise error
        return answer.body

    def _exchange_http(
        self, path: Path, parts: Mapping[str, str], token: str | None, **content: Any
    ) -> Answer:
        self.calls += 1
        url = path.url(self.options.base_url, self.options.version, **parts)
        try:
            response = self._session.request(
                path.method,
                url,
                auth=Bearer(token),
                timeout=(CONNECT_TIMEOUT, self.options.timeout),
                allow_redirects=False,
                **content,
            )
        except requests.Timeout:
            raise TemporaryFailure("HubSpot did not answer in time; it may have written or not") from None
        except requests.RequestException as error:
            raise TemporaryFailure(f"HubSpot cannot be reached ({type(error).__name__})") from None
        return read_answer(response)


def _json(payload: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a payload as UTF-8: escaped, a transcript in Greek or emoji is up to six times as long."""
    if payload is None:
        return {}
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return {"data": data, "headers": {"Content-Type": "application/json"}}


def read_answer(response: requests.Response) -> Answer:
    """Return an answer whose body is JSON or nothing; anything else is marked illegible.

    Every body has the correlation id then: HubSpot's support asks for it, and of a gateway's page
    or a batch of many records only the header tells it.
    """
    body: Any = {}
    legible = True
    if response.content.strip():
        try:
            body = response.json()
        except (ValueError, RecursionError):
            legible = False
    if not isinstance(body, dict):
        body, legible = {}, False
    if not body.get("correlationId"):
        body["correlationId"] = response.headers.get(CORRELATION)
    return Answer(status=response.status_code, headers=dict(response.headers), body=body, legible=legible)
