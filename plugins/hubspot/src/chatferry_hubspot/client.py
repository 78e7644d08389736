"""The calls of HubSpot: every path, the token, and the outcome that each answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from chatferry import AuthFailure, DeliveryError, Memory, TemporaryFailure
from chatferry.http.answer import HttpAnswer
from chatferry.http.client import ApiClient
from chatferry.http.outcomes import ErrorTable
from chatferry.http.tokens import RefreshGrant, RenewedToken, StaticToken, TokenSource, read_token
from chatferry_hubspot.answers import Forbidden, HubSpotComplaint, NoSuchObject, Refused, complain_of
from chatferry_hubspot.limits import RateLimitPace
from chatferry_hubspot.settings import Options

LOCKED_WAIT = 2.0
MIGRATION_WAIT = 3600.0
TOKEN_LIFE = 1800.0
"""Seconds a token lives, where HubSpot does not say."""
CORRELATION = "X-HubSpot-Correlation-Id"
MIGRATING = 477
"""HubSpot's own status: the account is on its way to another data centre."""


class Path(Enum):
    """Every method and path that is called, in one table.

    The version stands in another place in each family of paths, so there is a table and no prefix.
    Names in braces are filled by :meth:`path`.
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

    def path(self, version: str, **parts: str) -> str:
        """Return the path, every part percent-encoded."""
        filled = {name: quote(value, safe="") for name, value in parts.items()}
        return self.value.partition(" ")[2].format(version=version, **filled)


def meanings(pace: RateLimitPace) -> ErrorTable[HubSpotComplaint]:
    """Return what HubSpot's errors mean; a 429's depends on the account's day."""
    return ErrorTable(
        {
            401: _bad_token,
            403: Forbidden,
            408: partial(_away, "HubSpot did not get the request in time (408)"),
            423: partial(_away, "HubSpot has locked the record (423)", least=LOCKED_WAIT),
            429: pace.error,
            MIGRATING: partial(_away, "HubSpot is moving the account (477)", wait=MIGRATION_WAIT),
            400: lambda said: NoSuchObject(said) if said.no_object else Refused(said),
        },
        otherwise=lambda said: _away(f"HubSpot is away (HTTP {said.status})", said),
    )


def _bad_token(said: HubSpotComplaint) -> DeliveryError:
    return AuthFailure(
        "HubSpot refuses the token (401): check that it is whole and not revoked", **said.details
    )


def _away(
    message: str, said: HubSpotComplaint, *, wait: float | None = None, least: float | None = None
) -> DeliveryError:
    """Return a failure that passes; HubSpot's own wish for a wait counts, but no less than ``least``."""
    asked = wait if said.retry_after is None else said.retry_after
    asked = asked if least is None else max(least, asked or 0.0)
    return TemporaryFailure(message, retry_after=asked, **said.details)


class HubSpotClient(ApiClient):
    """Calls HubSpot for one destination over one session."""

    crm: ClassVar[str] = "HubSpot"

    def __init__(self, options: Options, memory: Memory, **times: Any) -> None:
        pace = RateLimitPace(options.time_zone)
        super().__init__(options.base_url, timeout=options.timeout, pace=pace, **times)
        self.options = options
        self._meanings = meanings(pace)
        self._tokens = self._token_source(memory)

    @property
    def tokens(self) -> TokenSource:
        """The token that the settings ask for."""
        return self._tokens

    def call(self, path: Path, payload: Mapping[str, Any] | None = None, **parts: str) -> Mapping[str, Any]:
        """Call HubSpot and return the answer's JSON.

        :raises DeliveryError: of the class that fits the answer; :class:`Refused` if it is about data.
        """
        where = path.path(self.options.version, **parts)
        return body_of(self.request(path.method, where, payload=payload))

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

    def error_of(self, answer: HttpAnswer) -> DeliveryError | None:
        """Return what an answer means, None if it is a success; the status decides first."""
        if answer.is_success and answer.legible and isinstance(answer.body, dict | None):
            return None
        complaint = complain_of(replace(answer, body=body_of(answer)))
        if answer.is_success:
            message = f"HubSpot's answer is no JSON ({answer.status})"
            return TemporaryFailure(message, **complaint.details)
        return self._meanings.error(complaint, answer.status)

    def _token_source(self, memory: Memory) -> TokenSource:
        options = self.options
        if options.access_token is not None:
            return StaticToken(options.access_token)
        if options.client_id is None or options.client_secret is None or options.refresh_token is None:
            raise AuthFailure("there is no access_token, and no complete OAuth settings either")
        grant = RefreshGrant(
            client_id=options.client_id,
            client_secret=options.client_secret,
            refresh_token=options.refresh_token,
            memory=memory,
            exchange=self._exchange_token,
            read=partial(read_token, life=TOKEN_LIFE),
        )
        return RenewedToken(grant, clock=self._clock)

    def _exchange_token(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        address = self.options.base_url.rstrip("/") + Path.TOKEN.path(self.options.version)
        try:
            return body_of(self.exchange_form(address, form))
        except Refused as error:
            message = f"HubSpot refuses to renew the token ({error.status}): authorise the app again"
            raise AuthFailure(message, **error.details) from None


def body_of(answer: HttpAnswer) -> Mapping[str, Any]:
    """Return the object that an answer is, with the correlation id.

    HubSpot's support asks for it, and of a gateway's page or a batch of many records only the header has it.
    """
    body = dict(answer.body) if isinstance(answer.body, dict) else {}
    return {**body, "correlationId": body.get("correlationId") or answer.header(CORRELATION)}
