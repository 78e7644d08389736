"""HubSpot's error answers, as exceptions (HubSpot docs, 'Error handling')."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with the value of one property."""

    name: str
    code: str
    message: str

    def embedded(self) -> dict[str, Any]:
        """Return it as HubSpot embeds it in the text of a message."""
        return {"isValid": False, "message": self.message, "error": self.code, "name": self.name}

    def detail(self) -> dict[str, Any]:
        """Return it as an entry of an error's ``errors``."""
        return {"message": self.message, "code": self.code, "context": {"propertyName": [self.name]}}


class ApiError(Exception):
    """An answer that is not 2xx; its text names no value, because values are personal data."""

    def __init__(
        self,
        status: int,
        category: str | None,
        message: str,
        /,
        *,
        refuses_batch: bool = False,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(f"{status} {category}")
        self.status = status
        self.refuses_batch = refuses_batch
        """Whether it refuses the whole batch, even if each input has its own trace id."""
        self.headers = dict(headers or {})
        self._fields = {"message": message, "category": category, **fields}

    def body(self, correlation_id: str) -> dict[str, Any]:
        """Return the JSON of a whole answer."""
        return {"status": "error", "correlationId": correlation_id, **self._set_fields()}

    def entry(self, context: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return the JSON of one entry in a 207's ``errors``; ``context`` names the input."""
        given = self._set_fields()
        merged = {**given.pop("context", {}), **context}
        return {"status": "error", "errors": [], "links": {}, **given, "context": merged}

    def _set_fields(self) -> dict[str, Any]:
        return {key: value for key, value in self._fields.items() if value is not None}


class NotFound(ApiError):
    """404: the record does not exist."""


def invalid(message: str, **fields: Any) -> ApiError:
    """Return a 400 about the request as a whole."""
    return ApiError(400, "VALIDATION_ERROR", message, refuses_batch=True, **fields)


def invalid_values(problems: Sequence[Problem]) -> ApiError:
    """Return the 400 whose message embeds what is wrong as JSON; an unknown property refuses a batch."""
    listed = json.dumps([problem.embedded() for problem in problems], separators=(",", ":"))
    return ApiError(
        400,
        "VALIDATION_ERROR",
        f"Property values were not valid: {listed}",
        errors=[problem.detail() for problem in problems],
        refuses_batch=any(problem.code == "PROPERTY_DOESNT_EXIST" for problem in problems),
    )


def contact_exists(existing: str, email: str) -> ApiError:
    """Return the 409 that names the contact which has this e-mail already."""
    return ApiError(
        409,
        "OBJECT_ALREADY_EXISTS",
        f"Contact already exists. Existing ID: {existing}",
        error="CONTACT_EXISTS",
        errors=[
            {
                "message": f"A contact with email {email} already exists. Existing ID: {existing}",
                "in": "email",
            }
        ],
    )


def not_found(kind: str, ids: Sequence[str] = ()) -> NotFound:
    """Return the 404 of a record that does not exist."""
    if not ids:
        return NotFound(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.")
    message = (
        f"Could not get some {kind.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid."
    )
    return NotFound(404, "OBJECT_NOT_FOUND", message, context={"ids": list(ids)})


def missing_scopes(scopes: Sequence[str]) -> ApiError:
    """Return the 403 that names the scopes of which one is needed."""
    return ApiError(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(scopes)},
            }
        ],
    )
