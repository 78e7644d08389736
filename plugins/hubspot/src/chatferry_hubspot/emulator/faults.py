"""The faults that ``--fault`` switches on, one sentence each; a test compares the documentation with it."""

from __future__ import annotations

from collections.abc import Mapping

from chatferry.emulators.misbehaviour import ANSWERS, CONNECTIONS

REFUSALS: Mapping[str, str] = {
    "401": "401 INVALID_AUTHENTICATION although the token is good.",
    "403": "403 MISSING_SCOPES naming the scope the path needs to be written.",
    "409": "409 CONFLICT that names no existing record.",
    "400": "400 VALIDATION_ERROR that names no input and no property.",
    "414": "414, the address is too long.",
    "422": "422, the request is understood and refused.",
    "423": "423, the record is locked; HubSpot asks for at least 2 seconds of patience.",
    "429-burst": "429 TEN_SECONDLY_ROLLING; with seconds, `Retry-After` says so.",
    "429-secondly": "429 SECONDLY; with seconds, `Retry-After` says so.",
    "429-daily": "429 DAILY; with seconds, `Retry-After` says so.",
    "477": "477, the account is being moved; `Retry-After` says 3600, or the seconds given.",
    "500": "500 in HubSpot's error shape.",
    "502": "502 as an HTML page.",
    "503": "503 as an HTML page.",
    "504": "504 in HubSpot's error shape.",
    "521": "521 as an HTML page: the edge finds the server down.",
    "522": "522 as an HTML page: the edge can not connect in time.",
    "523": "523 as an HTML page: the edge can not reach the server.",
    "524": "524 as an HTML page: the edge waited too long.",
    "bare-error": "500 whose body is an empty JSON object: every field of an error is optional.",
}

BATCHES: Mapping[str, str] = {
    "partial-207": "One input of a write with trace ids fails with INTERNAL_ERROR; the rest is written.",
    "errors-in-200": "As partial-207, and whatever fails is reported with 200 instead of 207.",
    "no-trace-ids": "Results of a batch come without the trace ids they were sent with.",
    "reversed": "Results of a batch come in the reverse order of the inputs.",
    "results-missing": "One result of a batch is left out although it was written.",
    "results-extra": "A batch answers with one result more, of a record that was not sent.",
}

OAUTH: Mapping[str, str] = {
    "oauth-400": "The token endpoint refuses a good refresh token as BAD_REFRESH_TOKEN.",
    "oauth-500": "The token endpoint answers 500.",
}

FAULTS: Mapping[str, str] = {**REFUSALS, **CONNECTIONS, **ANSWERS, **BATCHES, **OAUTH}
