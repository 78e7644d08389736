"""What HubSpot's answers say: the records they hold, and the errors, read tolerantly.

Every field of an error is optional by HubSpot's own documentation, so nothing here raises on any JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, TypeAlias

from chatferry import (
    AuthFailure,
    DeliveryError,
    PermanentFailure,
    RateLimited,
    TemporaryFailure,
)
from chatferry.http.answer import HttpAnswer
from chatferry.http.outcomes import Complaint, ErrorDetails
from chatferry.records import Written

NOT_FOUND = frozenset({"OBJECT_NOT_FOUND", "NOT_FOUND"})
_RATE_LIMITED = frozenset({"RATE_LIMIT", "RATE_LIMITS"})
_UNAVAILABLE = frozenset(
    {"INTERNAL_ERROR", "SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "LOCKED", "GATEWAY_ERROR"}
)
_CONFLICTS = frozenset({"CONFLICT", "OBJECT_ALREADY_EXISTS", "CONTACT_EXISTS", "CONFLICTING_UNIQUE_VALUE"})
_EXISTING = re.compile(r"Existing ID:\s*(\d+)", re.IGNORECASE)
_NO_OBJECT = re.compile(r"Unable to infer object type", re.IGNORECASE)
"""HubSpot has no code for it: a 400 like any other, but for these words."""
_SAFE = re.compile(r"^[A-Za-z0-9_.:-]{1,100}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotComplaint(Complaint):
    """What one error of HubSpot says, as far as it says it."""

    category: str = ""
    traces: frozenset[str] = frozenset()
    existing_id: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ()
    policy: str = ""
    conflict: bool = False
    ids: frozenset[str] = field(default=frozenset(), repr=False)
    """The records it names, by what they were asked for."""
    no_object: bool = False
    """Whether it is about the object in the path: the account has none of that name."""

    @property
    def name(self) -> str:
        """The codes, which are safe to log, for instance ``VALIDATION_ERROR INVALID_EMAIL``."""
        return " ".join(dict.fromkeys(part for part in (self.category, self.code) if part))

    @property
    def details(self) -> ErrorDetails:
        """What an error raised because of it carries."""
        code = self.code or self.category or None
        return ErrorDetails(crm_message=self.crm_message, code=code, reference=self.reference)


class Forbidden(AuthFailure):
    """The token is good, but lacks a permission; ``scopes`` names what HubSpot asks for."""

    def __init__(self, complaint: HubSpotComplaint) -> None:
        self.scopes = complaint.scopes
        if self.scopes:
            message = f"HubSpot misses scopes (403): grant {', '.join(self.scopes)} to the token"
        else:
            message = f"HubSpot forbids the call (403 {complaint.name or 'without a reason'})"
        super().__init__(message, **complaint.details)


class NoSuchObject(TemporaryFailure):
    """The account has not the object leads are written to, or has it no more."""

    def __init__(self, complaint: HubSpotComplaint) -> None:
        where = f"({complaint.status})"
        message = f"HubSpot has not the object that is written to {where}: run check, then provision"
        super().__init__(message, **complaint.details)


class Refused(PermanentFailure):
    """HubSpot refuses what was sent; ``complaint`` says which of it, if HubSpot did."""

    def __init__(self, complaint: HubSpotComplaint, *, subject: str = "the record") -> None:
        self.status = complaint.status
        self.complaint = complaint
        named = f" ({', '.join(sorted(complaint.fields))})" if complaint.fields else ""
        message = f"HubSpot refuses {subject}: {self.status} {complaint.name}".rstrip() + named
        super().__init__(message, **self.details)

    @property
    def details(self) -> ErrorDetails:
        """What an error raised because of it carries."""
        details = self.complaint.details
        return {**details, "code": details["code"] or str(self.status)}

    @property
    def conflict(self) -> bool:
        """Whether another record already holds a value that must be unique."""
        return self.status == HTTPStatus.CONFLICT or self.complaint.conflict

    @property
    def missing(self) -> bool:
        """Whether HubSpot says that the record written to is not there."""
        return self.status == HTTPStatus.NOT_FOUND or self.complaint.category in NOT_FOUND


def is_missing(result: object) -> bool:
    """Return whether a result says that the record written to is not there."""
    return isinstance(result, Refused) and result.missing


def as_temporary(error: DeliveryError, message: str) -> DeliveryError:
    """Return a refusal as something to try again; an error of another kind stays as it is."""
    if not isinstance(error, PermanentFailure):
        return error
    carried = ErrorDetails(crm_message=error.crm_message, code=error.code, reference=error.reference)
    return TemporaryFailure(f"{message}: {error}", **carried)


def results_in(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects among the ``results``."""
    yield from _mappings(body.get("results"))


def written_of(record: Mapping[str, Any]) -> Written | None:
    """Return a record of an answer, None if it is none."""
    name, properties = record.get("id"), record.get("properties")
    if not isinstance(name, str) or not name:
        return None
    held = properties if isinstance(properties, Mapping) else {}
    new = record.get("new")
    return Written(
        id=name,
        created=new if isinstance(new, bool) else record.get("createdAt", "") == record.get("updatedAt"),
        values={str(k): v for k, v in held.items() if isinstance(v, str)},
    )


def complaints_in(body: Mapping[str, Any]) -> list[HubSpotComplaint]:
    """Return the errors of a batch; they may be there whatever the status was."""
    reference = complain(body).reference
    return [complain(entry, reference=reference) for entry in _mappings(body.get("errors"))]


def error_of(complaint: HubSpotComplaint) -> DeliveryError:
    """Return what one entry of a batch's ``errors`` means for its record."""
    if complaint.category in _RATE_LIMITED:
        return RateLimited("HubSpot asks for a slower pace", retry_after=10.0, **complaint.details)
    if complaint.category in _UNAVAILABLE:
        return TemporaryFailure(f"HubSpot failed on the record ({complaint.name})", **complaint.details)
    return Refused(complaint)


def complain_of(answer: HttpAnswer) -> HubSpotComplaint:
    """Read the error that a whole answer is."""
    said = complain(answer.body, status=answer.status)
    return replace(said, retry_after=answer.retry_after)


def complain(
    body: Mapping[str, Any],
    *,
    status: int = HTTPStatus.MULTI_STATUS.value,
    reference: str | None = None,
) -> HubSpotComplaint:
    """Read an error body, or one entry of a batch's ``errors``.

    :param reference: the correlation id of the whole answer, for an entry that has none.
    """
    entries = list(_mappings(body.get("errors")))
    message = _text(body.get("message"))
    embedded = _embedded(message)
    contexts = [body.get("context"), *(entry.get("context") for entry in entries)]
    category = _token(body.get("category")) or _token(body.get("errorType"))
    codes = _codes(body, embedded, entries)
    texts = _messages(message, embedded, entries)
    existing = _EXISTING.search(f"{message} {texts}")
    return HubSpotComplaint(
        status=status,
        category=category,
        code=next(iter(codes), ""),
        crm_message=texts,
        reference=_token(body.get("correlationId")) or reference,
        traces=frozenset(_strings(contexts, "objectWriteTraceId")),
        existing_id=existing.group(1) if existing else None,
        fields=_properties(embedded, entries, contexts),
        scopes=_scopes(contexts),
        policy=_token(body.get("policyName")),
        conflict=not _CONFLICTS.isdisjoint({category, *codes}),
        ids=frozenset(_strings(contexts, "ids", "id", "fromObjectId")),
        no_object=_NO_OBJECT.search(message) is not None,
    )


def _codes(body: Mapping[str, Any], embedded: _Objects, entries: _Objects) -> list[str]:
    """Return the codes of an error, the most precise one first."""
    codes = [entry.get("error") for entry in embedded] + [entry.get("code") for entry in entries]
    return [code for each in (*codes, body.get("error"), body.get("subCategory")) if (code := _token(each))]


def _messages(message: str, embedded: _Objects, entries: _Objects) -> str:
    texts = [_text(entry.get("message")) for entry in embedded] or [message]
    texts += [_text(entry.get("message")) for entry in entries]
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _properties(embedded: _Objects, entries: _Objects, contexts: Iterable[Any]) -> frozenset[str]:
    """Return the properties an error names, wherever it does."""
    names = [entry.get("name") for entry in (*embedded, *entries)]
    names += [entry.get("in") for entry in entries]
    names += _strings(contexts, "propertyName", "properties", "name")
    return frozenset(map(_token, names)) - {""}


def _scopes(contexts: Iterable[Any]) -> tuple[str, ...]:
    names = _strings(contexts, "requiredGranularScopes", "requiredScopes")
    return tuple(dict.fromkeys(filter(_token, names)))


_Objects: TypeAlias = list[Mapping[str, Any]]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _token(value: Any) -> str:
    """Return a code or an id, or nothing if it looks like prose: those may be logged."""
    return value if isinstance(value, str) and _SAFE.match(value) else ""


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, Mapping):
            yield item


def _strings(contexts: Iterable[Any], *names: str) -> list[str]:
    """Return the strings under these names; a context's values are lists, or sometimes are not."""
    values = [context.get(name) for context in contexts if isinstance(context, Mapping) for name in names]
    items = [item for value in values for item in (value if isinstance(value, list) else [value])]
    return [item for item in items if isinstance(item, str)]


def _embedded(message: str) -> _Objects:
    """Return the JSON that "Property values were not valid: [...]" carries inside its text."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        return list(_mappings(json.JSONDecoder().raw_decode(message[start:])[0]))
    except (ValueError, RecursionError):
        return []
