"""One call of HubSpot: its path, time-outs and bearer token, and the outcome that its answer means."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests
from urllib3 import Retry

from chatferry import AuthFailure, DeliveryError, Memory, TemporaryFailure, __version__
from chatferry.http import Bearer
from chatferry.http.exchange import AnswerTooLong, bounded_session
from chatferry_hubspot.answers import Forbidden, HttpAnswer, NoSuchObject, Refused, complain
from chatferry_hubspot.auth import BearerToken, token_of
from chatferry_hubspot.limits import RateLimitPace, limit_error
from chatferry_hubspot.settings import Options

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes, unpacked: a batch of a hundred records with their longest texts is a tenth of it."""
LOCKED_WAIT = 2.0
MIGRATION_WAIT = 3600.0
CORRELATION = "X-HubSpot-Correlation-Id"
MIGRATING = 477
"""HubSpot's own status: the account is on its way to another data centre."""


_SUCCESS, _REFUSAL = range(200, 300), range(400, 500)
_TRY_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.LOCKED, MIGRATING}
"""Statuses among the 4xx that are no refusals."""


class Path(Enum):
    """Every method and path that is called, in one table.

    The version stands in another place in each family of paths, so there is a table and no prefix.
    Names in braces are filled by :meth:`url`.
    """

    UPSERT = "POST /crm/objects/{version}/{object}/batch/upsert"
    CREATE = "POST /crm/objects/{version}/{object}/batch/create"
    UPDATE = "POST /crm/objects/{version}/{object}/batch/update"
    READ = "POST /crm/objects/{version}/{object}/batch/read"
    ARCHIVE = "POST /crm/objects/{version}/{object}/batch/archive"
    ASSOCIATE = "POST /crm/associations/{version}/{object}/{to}/batch/associate/default"
    DISSOCIATE = "POST /crm/associations/{version}/{object}/{to}/batch/archive"
    ASSOCIATED = "POST /crm/associations/{version}/{object}/{to}/batch/read"
    LABELS = "GET /crm/associations/{version}/{object}/{to}/labels"
    SCHEMAS = "GET /crm-object-schemas/{version}/schemas"
    CREATE_SCHEMA = "POST /crm-object-schemas/{version}/schemas"
    ALLOW_ASSOCIATION = "POST /crm-object-schemas/{version}/schemas/{object}/associations"
    PROPERTIES = "GET /crm/properties/{version}/{object}"
    CREATE_PROPERTY = "POST /crm/properties/{version}/{object}"
    TOKEN = "POST /oauth/{version}/token"  # noqa: S105  (a path)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.value.partition(" ")[0]

    def url(self, base: str, version: str, **parts: str) -> str:
        """Return the full address, every part percent-encoded."""
        filled = {name: quote(value, safe="") for name, value in parts.items()}
        return base.rstrip("/") + self.value.partition(" ")[2].format(version=version, **filled)


def new_session() -> requests.Session:
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
    session = bounded_session(largest=LARGEST_ANSWER, retry=retry)
    session.headers["User-Agent"] = f"chatferry/{__version__}"
    session.headers["Accept"] = "application/json"
    return session


def error_of_answer(answer: HttpAnswer, time_zone: str | None, pace: RateLimitPace) -> DeliveryError | None:
    """Return what an answer means, None if it is a success; the status decides first."""
    complaint = complain(answer.body)
    match answer.status:
        case status if status in _SUCCESS:
            unreadable = TemporaryFailure(f"HubSpot's answer is no JSON ({status})", **complaint.details)
            return None if answer.legible else unreadable
        case HTTPStatus.UNAUTHORIZED:
            message = "HubSpot refuses the token (401): check that it is whole and not revoked"
            return AuthFailure(message, **complaint.details)
        case HTTPStatus.FORBIDDEN:
            return Forbidden(complaint)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return limit_error(answer, complaint, time_zone, pace.now())
        case status if status in _REFUSAL and status not in _TRY_LATER:
            kind = NoSuchObject if complaint.no_object else Refused
            return kind(status, complaint)
    message, wait = _unavailable(answer)
    return TemporaryFailure(message, retry_after=wait, **complaint.details)


def _unavailable(answer: HttpAnswer) -> tuple[str, float | None]:
    """Return why HubSpot cannot do it now, and how long to wait."""
    wait = answer.retry_after
    if answer.status == HTTPStatus.LOCKED:
        return "HubSpot has locked the record (423)", max(LOCKED_WAIT, wait or 0.0)
    if answer.status == MIGRATING:
        return "HubSpot is moving the account (477)", MIGRATION_WAIT if wait is None else wait
    return f"HubSpot is away (HTTP {answer.status})", wait


class HubSpotClient:
    """Calls HubSpot for one destination over one session."""

    def __init__(
        self,
        options: Options,
        memory: Memory,
        *,
        pace: RateLimitPace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options
        self.pace = pace or RateLimitPace(options.time_zone)
        self.calls = 0
        self._clock = clock
        self._deadline: float | None = None
        self._session = new_session()
        self._token: BearerToken = token_of(options, memory, exchange=self._exchange, clock=clock)

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
        error = error_of_answer(answer, self.options.time_zone, self.pace)
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
    ) -> HttpAnswer:
        if self._deadline is not None and self._clock() >= self._deadline:
            raise TemporaryFailure("HubSpot was too slow for the rest of the batch")
        self.pace.before()
        answer = self._exchange_http(path, parts, token, **_json(payload))
        self.pace.after(answer.headers)
        return answer

    def _exchange(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        answer = self._exchange_http(Path.TOKEN, {}, None, data=form)
        error = error_of_answer(answer, self.options.time_zone, self.pace)
        if isinstance(error, Refused):
            message = f"HubSpot refuses to renew the token ({error.status}): authorise the app again"
            raise AuthFailure(message, **error.details)
        if error is not None:
            raise error
        return answer.body

    def _exchange_http(
        self, path: Path, parts: Mapping[str, str], token: str | None, **content: Any
    ) -> HttpAnswer:
        self.calls += 1
        url = path.url(self.options.base_url, self.options.version, **parts)
        try:
            response = self._session.request(
                path.method,
                url,
                auth=Bearer(token),
                timeout=self.options.timeout,
                allow_redirects=False,
                **content,
            )
        except requests.Timeout:
            raise TemporaryFailure("HubSpot did not answer in time; it may have written or not") from None
        except AnswerTooLong as error:
            raise TemporaryFailure(f"HubSpot's answer is not read: {error}") from None
        except requests.RequestException as error:
            raise TemporaryFailure(f"HubSpot cannot be reached ({type(error).__name__})") from None
        return read_answer(response)


def _json(payload: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a payload as UTF-8: escaped, a transcript in Greek or emoji is up to six times as long."""
    if payload is None:
        return {}
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return {"data": data, "headers": {"Content-Type": "application/json"}}


def read_answer(response: requests.Response) -> HttpAnswer:
    """Return an answer whose body is JSON or nothing; anything else is marked illegible.

    Every body has the correlation id then: HubSpot's support asks for it, and of a gateway's page
    or a batch of many records only the header has it.
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
    return HttpAnswer(status=response.status_code, headers=dict(response.headers), body=body, legible=legible)
