"""Faults of a CRM, and which of them a declared capability requires."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from chatferry.testing.capability import Capability


class Trouble(StrEnum):
    """One kind of misbehaviour a harness can switch on; the text says what the CRM then does."""

    TOKEN_EXPIRED = "the present access has expired, a renewed one works (401, once)"  # noqa: S105  (a sentence)
    CREDENTIALS_REFUSED = "the credentials are refused, also for a renewal (401)"
    FORBIDDEN = "the account lacks a permission (403)"
    TOO_FAST = "a slower pace is asked for, with the wait in seconds (429, Retry-After)"
    TOO_FAST_UNSAID = "a slower pace is asked for, without saying how long (429)"
    QUOTA_SPENT = "the daily allowance is spent (429 or 403, as the CRM does it)"
    SERVER_ERROR = "an internal error, nothing is stored (500 or 503)"
    HTML_ERROR = "a gateway's page in HTML, nothing is stored (502)"
    HTML_ANSWER = "a page in HTML as if all were well, stored or not (200)"
    EMPTY_ANSWER = "an empty body as if all were well, stored or not (200)"
    RESET = "the connection breaks before an answer, nothing is stored"
    TIMEOUT_BEFORE = "silence until it behaves again, nothing is stored"
    TIMEOUT_AFTER = "silence until it behaves again, all is stored; aimed at the request with this key"
    RECORD_REFUSED = "the record with this key is refused for good, its companions are stored"
    RECORD_BUSY = "the record with this key is locked, its companions are stored"
    RESULTS_SHUFFLED = "the results come in another order than the records went"
    RESULT_MISSING = "one result, that of this key if one is given, is left out of the answer"
    RESULT_SURPLUS = "the answer holds the result of a record that was not sent"
    POISONED = "a request with the record of this key is refused as a whole, nothing is stored"
    DISK_FULL = "there is no space left, nothing more is stored"


TROUBLES: Mapping[Capability, tuple[Trouble, ...]] = MappingProxyType(
    {
        Capability.RENEWAL: (Trouble.TOKEN_EXPIRED,),
        Capability.AUTHENTICATION: (Trouble.CREDENTIALS_REFUSED, Trouble.FORBIDDEN),
        Capability.RATE_LIMITS: (Trouble.TOO_FAST, Trouble.TOO_FAST_UNSAID),
        Capability.QUOTA: (Trouble.QUOTA_SPENT,),
        Capability.NETWORK: (
            Trouble.SERVER_ERROR,
            Trouble.HTML_ERROR,
            Trouble.HTML_ANSWER,
            Trouble.EMPTY_ANSWER,
            Trouble.RESET,
            Trouble.TIMEOUT_BEFORE,
            Trouble.TIMEOUT_AFTER,
        ),
        Capability.PARTIAL_SUCCESS: (
            Trouble.RECORD_REFUSED,
            Trouble.RECORD_BUSY,
            Trouble.RESULTS_SHUFFLED,
            Trouble.RESULT_MISSING,
            Trouble.RESULT_SURPLUS,
        ),
        Capability.POISON: (Trouble.POISONED,),
        Capability.FILES: (Trouble.DISK_FULL,),
    }
)
"""What a harness must be able to do to its CRM, per capability it declares."""
