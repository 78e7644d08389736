"""From an answer of a CRM to what becomes of the lead: one table a CRM, its rows by status and by code.

Every HTTP API says the same few things in its own way. A table starts from what the statuses usually mean,
and a connector adds the rows in which its CRM differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Generic, TypeAlias, TypedDict, TypeVar

from chatferry.errors import (
    AuthFailure,
    DeliveryError,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    TemporaryFailure,
)


class ErrorDetails(TypedDict):
    """What every error passes on of a complaint, beside its message."""

    crm_message: str
    code: str | None
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What an answer complains about, as far as the CRM says it."""

    status: int = 0
    """The HTTP status; 0 for an error of one record among others."""
    code: str = ""
    """The CRM's code for the error, which may be logged."""
    crm_message: str = field(default="", repr=False)
    """The CRM's own words, which may echo what a visitor wrote."""
    fields: frozenset[str] = frozenset()
    """The fields it is about."""
    reference: str | None = None
    """What the CRM's support asks for."""
    retry_after: float | None = None
    """Seconds the CRM asks to wait."""

    @property
    def name(self) -> str:
        """Status, code and fields, as an error's message shows them."""
        where = f"({', '.join(sorted(self.fields))})" if self.fields else ""
        return " ".join(part for part in (str(self.status or ""), self.code, where) if part)

    @property
    def details(self) -> ErrorDetails:
        """What an error raised because of it carries."""
        code = self.code or (str(self.status) if self.status else None)
        return ErrorDetails(crm_message=self.crm_message, code=code, reference=self.reference)


C = TypeVar("C")
Meaning: TypeAlias = Callable[[C], DeliveryError]
"""Makes the error that a complaint means."""
Key: TypeAlias = int | str | tuple[int, str]
"""A status, a code, or both; 400 and 500 also stand for those of 4xx and 5xx that have no row."""


class ErrorTable(Generic[C]):
    """What the errors of one CRM mean.

    The row of status and code comes before that of the code, that before the status's, and that before the
    row of its hundred, 400 or 500. What has no row is temporary.
    """

    def __init__(self, *rows: Mapping[Key, Meaning[C]], otherwise: Meaning[C]) -> None:
        self._rows: dict[Key, Meaning[C]] = {}
        for some in rows:
            self._rows |= some
        self._otherwise = otherwise

    def error(self, complaint: C, status: int, codes: Iterable[str] = ()) -> DeliveryError:
        """Return the error that a complaint means.

        :param codes: the CRM's codes for it, the most precise one first.
        """
        given = [code for code in codes if code]
        keys: list[Key] = [*((status, code) for code in given), *given, status, status // 100 * 100]
        return next((self._rows[key] for key in keys if key in self._rows), self._otherwise)(complaint)


def temporary(message: str, *, wait: float | None = None) -> Meaning[Complaint]:
    """Return a row for what will pass by itself.

    :param wait: seconds, where the CRM asks for none.
    """
    return lambda said: TemporaryFailure(
        _message(message, said), retry_after=_wait(said, wait), **said.details
    )


def slower(message: str, *, wait: float | None = None) -> Meaning[Complaint]:
    """Return a row for calls that come too fast.

    :param wait: seconds, where the CRM asks for none.
    """
    return lambda said: RateLimited(_message(message, said), retry_after=_wait(said, wait), **said.details)


def quota(
    message: str, *, wait: float, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Meaning[Complaint]:
    """Return a row for an allowance that is used up: the destination rests ``wait`` seconds."""
    return lambda said: QuotaExhausted(
        _message(message, said),
        until=now() + timedelta(seconds=_wait(said, wait) or wait),
        **said.details,
    )


def forbidden(message: str) -> Meaning[Complaint]:
    """Return a row for credentials or permissions that an operator has to see to."""
    return lambda said: AuthFailure(_message(message, said), **said.details)


def refused(message: str) -> Meaning[Complaint]:
    """Return a row for a record that the CRM will never take as it is."""
    return lambda said: PermanentFailure(_message(message, said), **said.details)


def _message(message: str, said: Complaint) -> str:
    return f"{message}: {said.name}" if said.name else message


def _wait(said: Complaint, wait: float | None) -> float | None:
    return wait if said.retry_after is None else said.retry_after


USUAL: Final[Mapping[Key, Meaning[Complaint]]] = MappingProxyType(
    {
        401: forbidden("the CRM refuses the credentials"),
        403: forbidden("the CRM forbids the call"),
        408: temporary("the CRM did not get the request in time"),
        423: temporary("the CRM has locked the record"),
        425: temporary("the CRM asks to try again"),
        429: slower("the CRM asks for a slower pace"),
        400: refused("the CRM refuses the record"),
        500: temporary("the CRM is away"),
    }
)
"""What the statuses usually mean, to start a table from."""


def away(said: Complaint) -> DeliveryError:
    """Return the error for what no row is about: it may pass by itself."""
    return temporary("the CRM answered something else than was expected")(said)
