"""The answers of the faults that refuse a call before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Response

from chatferry.emulators.misbehaviour import page
from chatferry_hubspot.emulator.errors import ApiError, missing_scopes
from chatferry_hubspot.emulator.keys import refused_grant, unauthorized
from chatferry_hubspot.emulator.limits import rate_limited

_HTML = (502, 503, 521, 522, 523, 524)
_RATE_LIMITS: Mapping[str, str] = {
    "429-burst": "TEN_SECONDLY_ROLLING",
    "429-secondly": "SECONDLY",
    "429-daily": "DAILY",
}
_OTHERS: Mapping[str, tuple[str | None, str]] = {
    "400": ("VALIDATION_ERROR", "Invalid input (details will vary based on the error)"),
    "409": ("CONFLICT", "The request conflicts with the present state of a record"),
    "414": (None, "The address of the request is too long"),
    "422": (None, "The request can not be processed"),
    "423": (None, "The record is locked. Try again in 2 seconds"),
    "477": (None, "Account migration in progress"),
    "500": (None, "internal error"),
    "504": (None, "The request took too long"),
}


def refusal(name: str, seconds: float | None, scope: str) -> ApiError | Response:
    """Return what the fault ``name`` answers; ``seconds`` become a ``Retry-After``."""
    headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
    if name in _RATE_LIMITS:
        return rate_limited(_RATE_LIMITS[name], headers)
    if name in _SPECIAL:
        return _SPECIAL[name](scope)
    if int(name) in _HTML:
        return page(int(name))
    if name == "477" and not headers:
        headers = {"Retry-After": "3600"}
    category, message = _OTHERS[name]
    return ApiError(int(name), category, message, headers=headers)


_SPECIAL: Mapping[str, Callable[[str], ApiError | Response]] = {
    "401": lambda _: unauthorized(),
    "403": lambda scope: missing_scopes([scope]),
    "bare-error": lambda _: Response("{}", status=500, mimetype="application/json"),
    "oauth-400": lambda _: refused_grant("BAD_REFRESH_TOKEN", "missing or unknown refresh token"),
    "oauth-500": lambda _: ApiError(500, None, "internal error"),
}
