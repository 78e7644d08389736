"""HubSpot's answers, and what it says when it refuses: read tolerantly, for nothing is promised.

Every field of an error is optional by HubSpot's own word, so nothing here raises on any JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypedDict

from chatferry import AuthFailure, PermanentFailure, TemporaryFailure
from chatferry.http import retry_after

_EXISTING = re.compile(r"Existing ID:\s*(\d+)", re.IGNORECASE)
_NO_OBJECT = re.compile(r"Unable to infer object type", re.IGNORECASE)
"""HubSpot has no code for it: a 400 like any other, but for these words."""
_SAFE = re.compile(r"^[A-Za-z0-9_.:-]{1,100}$")
_CONFLICTS = frozenset({"CONFLICT", "OBJECT_ALREADY_EXISTS", "CONTACT_EXISTS", "CONFLICTING_UNIQUE_VALUE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. ``body`` is empty unless it was a JSON object."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    legible: bool = True
    """Whether the body was a JSON object, or nothing at all."""

    @property
    def retry_after(self) -> float | None:
        """Seconds HubSpot asks to wait, from ``Retry-After``; it may be a number or a date."""
        return retry_after(next((v for k, v in self.headers.items() if k.lower() == "retry-after"), None))


class Told(TypedDict):
    """What every error passes on of a complaint."""

    crm_message: str
    code: str | None
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What one error of HubSpot says, as far as it says it."""

    category: str = ""
    code: str = ""
    crm_message: str = field(default="", repr=False)
    reference: str | None = None
    traces: frozenset[str] = frozenset()
    existing_id: str | None = field(default=None, repr=False)
    properties: frozenset[str] = frozenset()
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
    def told(self) -> Told:
        """What an error raised because of it carries."""
        return Told(crm_message=self.crm_message, code=self.code or self.category or None, reference=self.reference)


class Forbidden(AuthFailure):
    """The token is good, but lacks a permission; ``scopes`` names what HubSpot asks for."""

    def __init__(self, complaint: Complaint) -> None:
        self.scopes = complaint.scopes
        if self.scopes:
            message = f"HubSpot misses scopes (403): grant {', '.join(self.scopes)} to the token"
        else:
            message = f"HubSpot forbids the call (403 {complaint.name or 'without a reason'})"
        super().__init__(message, **complaint.told)


class NoSuchObject(TemporaryFailure):
    """The account has not the object leads are written to, or has it no more."""

    def __init__(self, status: int, complaint: Complaint) -> None:
        message = f"HubSpot has not the object that is written to ({status}): run check, then provision"
        super().__init__(message, **complaint.told)


class Refused(PermanentFailure):
    """HubSpot refuses what was sent; ``complaint`` says which of it, if HubSpot did."""

    def __init__(self, status: int, complaint: Complaint, *, subject: str = "the record") -> None:
        self.status = status
        self.complaint = complaint
        named = f" ({', '.join(sorted(complaint.properties))})" if complaint.properties else ""
        super().__init__(
            f"HubSpot refuses {subject}: {status} {complaint.name}".rstrip() + named,
            crm_message=complaint.crm_message,
            code=complaint.code or complaint.category or str(status),
            reference=complaint.reference,
        )

    @property
    def conflict(self) -> bool:
        """Whether another record already holds a value that must be unique."""
        return self.status == HTTPStatus.CONFLICT or self.complaint.conflict


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _token(value: Any) -> str:
    """Return a code or an id, or nothing if it looks like prose: those may be logged."""
    return value if isinstance(value, str) and _SAFE.match(value) else ""


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, Mapping):
            yield item


def _strings(context: Any, *names: str) -> Iterator[str]:
    """Return the strings of a ``context``, whose values are lists, or sometimes are not."""
    for name in names if isinstance(context, Mapping) else ():
        value = context.get(name)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, str):
                yield item


def _embedded(message: str) -> list[Mapping[str, Any]]:
    """Return the JSON that "Property values were not valid: [...]" carries inside its text."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        return list(_mappings(json.JSONDecoder().raw_decode(message[start:])[0]))
    except (ValueError, RecursionError):
        return []


def complain(body: Mapping[str, Any], reference: str | None = None) -> Complaint:
    """Read an error body, or one entry of a batch's ``errors``.

    :param reference: the correlation id of the whole answer, for an entry that has none.
    """
    details = list(_mappings(body.get("errors")))
    message = _text(body.get("message"))
    inner = _embedded(message)
    contexts = [body.get("context"), *(detail.get("context") for detail in details)]
    codes = [_token(entry.get("error")) for entry in inner] + [_token(entry.get("code")) for entry in details]
    codes += [_token(body.get("error")), _token(body.get("subCategory"))]
    category = _token(body.get("category")) or _token(body.get("errorType"))
    words = [_text(entry.get("message")) for entry in inner] or [message]
    words += [_text(detail.get("message")) for detail in details]
    told = "; ".join(dict.fromkeys(word for word in words if word))
    found = _EXISTING.search(f"{message} {told}")
    properties = {_token(entry.get("name")) for entry in (*inner, *details)}
    properties |= {
        _token(name) for c in contexts for name in _strings(c, "propertyName", "properties", "name")
    }
    properties |= {_token(entry.get("in")) for entry in details}
    return Complaint(
        category=category,
        code=next((code for code in codes if code), ""),
        crm_message=told,
        reference=_token(body.get("correlationId")) or reference,
        traces=frozenset(trace for c in contexts for trace in _strings(c, "objectWriteTraceId")),
        existing_id=found.group(1) if found else None,
        properties=frozenset(properties - {""}),
        scopes=tuple(
            dict.fromkeys(
                s
                for c in contexts
                for s in _strings(c, "requiredGranularScopes", "requiredScopes")
                if _token(s)
            )
        ),
        policy=_token(body.get("policyName")),
        conflict=not _CONFLICTS.isdisjoint({category, *codes}),
        ids=frozenset(name for c in contexts for name in _strings(c, "ids", "id", "fromObjectId")),
        no_object=_NO_OBJECT.search(message) is not None,
    )
