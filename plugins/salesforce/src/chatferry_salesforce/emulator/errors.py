"""Errors as Salesforce answers them: a list for a request, ``errors`` for one record of a collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """A request that is refused."""

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        named = {} if fields is None else {"fields": list(fields)}
        self.body: Any = [{"message": message, "errorCode": code, **named, **more}]


class TokenError(Exception):
    """A request to the token endpoint that is refused: an object, not a list."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body: Any = {"error": error, "error_description": description}


class RecordError(Exception):
    """One record that is refused; among others the rest is written."""

    def __init__(
        self,
        code: str,
        message: str,
        fields: Sequence[str] = (),
        *,
        status: int = 400,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = list(fields)
        self.status = status
        self.more = dict(more or {})
        """What only the answer about a single record says."""

    def entry(self) -> dict[str, Any]:
        """Return the error as one of a record's in a collection."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}

    def alone(self) -> ApiError:
        """Return the error as the answer to a request about this record alone."""
        return ApiError(self.status, self.code, self.message, self.fields, **self.more)


class NoSuchColumn(RecordError):
    """A field that the object does not have, or that the user may not see."""

    def __init__(self, column: str, kind: str) -> None:
        super().__init__("INVALID_FIELD", f"No such column '{column}' on sobject of type {kind}")


class Unreadable(RecordError):
    """A value of a JSON type that the field does not take, or a date that is none."""

    def __init__(self, message: str) -> None:
        super().__init__("JSON_PARSER_ERROR", message)


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    """Return the 404 of a path that leads nowhere."""
    return ApiError(404, "NOT_FOUND", message)


def expired() -> ApiError:
    """Return the 401 of a call without a session."""
    return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def limit_exceeded(kind: str = "TotalRequests") -> ApiError:
    """Return the 403 of a quota; only the words tell which."""
    return ApiError(403, "REQUEST_LIMIT_EXCEEDED", f"{kind} Limit exceeded.")
