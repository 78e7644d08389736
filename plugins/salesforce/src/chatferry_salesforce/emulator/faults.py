"""The faults that ``--fault`` switches on, one sentence each; a test compares the documentation with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Response

from chatferry.emulators.misbehaviour import ANSWERS, CONNECTIONS, page
from chatferry_salesforce.emulator.errors import ApiError, RecordError, TokenError, expired, limit_exceeded

REFUSALS: Final[Mapping[str, str]] = {
    "401": "401 INVALID_SESSION_ID although the session is good.",
    "daily-limit": "403 REQUEST_LIMIT_EXCEEDED, the calls of 24 hours are used up (TotalRequests).",
    "concurrent-limit": "403 REQUEST_LIMIT_EXCEEDED, too many long calls at once (ConcurrentPerOrgLongTxn).",
    "api-disabled": "403 API_DISABLED_FOR_ORG.",
    "no-access": "403 INSUFFICIENT_ACCESS, the user lacks a permission.",
    "400": "400 with an error code that is not documented.",
    "404": "404 NOT_FOUND, the path leads nowhere.",
    "410": "410 UNSUPPORTED_API_VERSION.",
    "500": "500 UNKNOWN_EXCEPTION.",
    "502": "502 as an HTML page.",
    "503": "503 SERVER_UNAVAILABLE.",
    "503-page": "503 as an HTML page.",
    "504": "504 as an HTML page.",
    "no-such-column": "400 INVALID_FIELD, the whole request is refused for a column that is not there.",
    "unreadable": "400 JSON_PARSER_ERROR, the whole request is refused.",
    "query-timeout": "400 QUERY_TIMEOUT.",
}
RECORDS: Final[Mapping[str, str]] = {
    "locked": "A record fails with UNABLE_TO_LOCK_ROW.",
    "record-timeout": "A record fails with QUERY_TIMEOUT.",
    "required": "A record fails with REQUIRED_FIELD_MISSING for a field that an administrator made required.",
    "bad-email": "A record fails with INVALID_EMAIL_ADDRESS for the field Email.",
    "too-long": "A record fails with STRING_TOO_LONG for the field Title.",
    "picklist": "A record fails with INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST for the field LeadSource.",
    "validation": "A record fails with FIELD_CUSTOM_VALIDATION_EXCEPTION, which names no field.",
    "integrity": "A record fails with FIELD_INTEGRITY_EXCEPTION.",
    "foreign-key": "A record fails with INVALID_FIELD, since the record it names is not there.",
    "duplicates": "A record fails with DUPLICATES_DETECTED, which names no other record.",
    "duplicate-value": "A record fails with DUPLICATE_VALUE.",
    "duplicate-key": "A record fails with DUPLICATE_EXTERNAL_ID.",
    "converted": "A record fails with CANNOT_UPDATE_CONVERTED_LEAD although it is none.",
    "deleted": "A record fails with ENTITY_IS_DELETED although it is not.",
    "storage": "A record fails with STORAGE_LIMIT_EXCEEDED.",
    "trigger": "A record fails with CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: the customer's trigger fails.",
    "entity-locked": "A record fails with ENTITY_IS_LOCKED.",
}
TOKENS: Final[Mapping[str, str]] = {
    "token-unknown-error": "The token endpoint answers 400 unknown_error, which is over the next moment.",
    "token-rate": "The token endpoint answers 400, the login rate is exceeded.",
    "token-invalid-grant": "The token endpoint refuses a good request as invalid_grant.",
    "token-503": "The token endpoint answers 503 as an HTML page.",
}
FAULTS: Final[Mapping[str, str]] = {**REFUSALS, **RECORDS, **CONNECTIONS, **ANSWERS, **TOKENS}

_REQUESTS: Final[Mapping[str, tuple[int, str, str]]] = {
    "api-disabled": (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."),
    "no-access": (403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id"),
    "400": (400, "UNLISTED_ERROR", "an error that is not in the list"),
    "404": (404, "NOT_FOUND", "The requested resource does not exist"),
    "410": (410, "UNSUPPORTED_API_VERSION", "The requested resource has been retired or removed."),
    "500": (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1-2 (3)"),
    "503": (503, "SERVER_UNAVAILABLE", "Server Unavailable"),
    "no-such-column": (400, "INVALID_FIELD", "No such column 'Gone__c' on sobject of type Lead"),
    "unreadable": (400, "JSON_PARSER_ERROR", "Cannot deserialize instance of datetime from a value"),
    "query-timeout": (400, "QUERY_TIMEOUT", "Your query request was running for too long."),
}
_ONE_RECORD: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "locked": ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", ()),
    "record-timeout": ("QUERY_TIMEOUT", "the request was running for too long", ()),
    "required": ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Region__c]", ("Region__c",)),
    "bad-email": ("INVALID_EMAIL_ADDRESS", "Email: invalid email address", ("Email",)),
    "too-long": ("STRING_TOO_LONG", "Title: data value too large (max length=128)", ("Title",)),
    "picklist": (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Lead Source: bad value for restricted picklist field",
        ("LeadSource",),
    ),
    "validation": ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone number must be 10 digits", ()),
    "integrity": ("FIELD_INTEGRITY_EXCEPTION", "the value does not fit the others", ()),
    "foreign-key": (
        "INVALID_FIELD",
        "Foreign key external ID: web:0 not found for field Chat_Visitor_Id__c in entity Lead",
        (),
    ),
    "duplicates": ("DUPLICATES_DETECTED", "Use one of these records?", ()),
    "duplicate-value": ("DUPLICATE_VALUE", "duplicate value found: unknown", ()),
    "duplicate-key": ("DUPLICATE_EXTERNAL_ID", "more than one record found for external id field", ()),
    "converted": ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ()),
    "deleted": ("ENTITY_IS_DELETED", "entity is deleted", ()),
    "storage": ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", ()),
    "trigger": ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "LeadTrigger: execution of BeforeInsert", ()),
    "entity-locked": ("ENTITY_IS_LOCKED", "the entity is locked for editing", ()),
}
_PAGES: Final = {"502": 502, "503-page": 503, "504": 504}


def refusal(name: str) -> ApiError | Response:
    """Return what the fault of a name answers to a whole request."""
    if name in _PAGES:
        return page(_PAGES[name])
    match name:
        case "401":
            return expired()
        case "daily-limit":
            return limit_exceeded()
        case "concurrent-limit":
            return limit_exceeded("ConcurrentPerOrgLongTxn")
    return ApiError(*_REQUESTS[name])


def record_error(name: str) -> RecordError:
    """Return the error of a record that the fault of a name strikes."""
    return RecordError(*_ONE_RECORD[name])


def token_refusal(name: str) -> TokenError | Response:
    """Return what the fault of a name answers at the token endpoint."""
    match name:
        case "token-unknown-error":
            return TokenError("unknown_error", "retry your request")
        case "token-rate":
            return TokenError("invalid_grant", "login rate exceeded")
        case "token-invalid-grant":
            return TokenError("invalid_grant", "user hasn't approved this consumer")
    return page(503)
