"""What the answer to a batch holds: records, and complaints about some of them; all of it may be missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from chatferry import AuthFailure, DeliveryError, QuotaExhausted, RateLimited, TemporaryFailure
from chatferry_hubspot.answers import Complaint, Refused, complain

OUR_PACE = frozenset({"RATE_LIMIT", "RATE_LIMITS"})
THEIR_FAULT = frozenset(
    {"INTERNAL_ERROR", "SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "LOCKED", "GATEWAY_ERROR"}
)
GONE = 404
NOT_FOUND = frozenset({"OBJECT_NOT_FOUND", "NOT_FOUND"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record HubSpot has taken, or found."""

    id: str
    created: bool = False
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)


Result: TypeAlias = Written | DeliveryError


def records(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Return what stands in the ``results``."""
    results = body.get("results")
    for record in results if isinstance(results, list) else ():
        if isinstance(record, Mapping):
            yield record


def complaints(body: Mapping[str, Any]) -> Iterator[Complaint]:
    """Return the errors of a batch; they may be there whatever the status was."""
    errors = body.get("errors")
    reference = complain(body).reference
    for entry in errors if isinstance(errors, list) else ():
        if isinstance(entry, Mapping):
            yield complain(entry, reference)


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
        properties={str(k): v for k, v in held.items() if isinstance(v, str)},
    )


def entry_error(complaint: Complaint) -> DeliveryError:
    """Return what one entry of a batch's ``errors`` means for its record."""
    if complaint.category in OUR_PACE:
        return RateLimited("HubSpot asks for a slower pace", retry_after=10.0, **complaint.told)
    if complaint.category in THEIR_FAULT:
        return TemporaryFailure(f"HubSpot failed on the record ({complaint.name})", **complaint.told)
    return Refused(207, complaint)


def is_missing(result: object) -> bool:
    """Return whether HubSpot says that the record written to is not there."""
    return isinstance(result, Refused) and (result.status == GONE or result.complaint.category in NOT_FOUND)


def of_account(error: DeliveryError) -> bool:
    """Return whether an error says something of the account, not of what was sent."""
    return isinstance(error, AuthFailure | QuotaExhausted | RateLimited)
