"""Settings of the emulated org."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NEWEST: Final = 68
OLDEST: Final = 31
"""API versions that are served; older ones are retired."""


class DuplicateRule(StrEnum):
    """What the org does with a record whose e-mail another one has."""

    OFF = "off"
    ALERT = "alert"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgSettings:
    """Everything ``chatferry emulate salesforce`` lets its user choose."""

    seed: int = 0
    client_id: str = "key-emulator"
    client_secret: str = "secret-emulator"  # noqa: S105  (it opens an emulator)
    refresh_token: str = "refresh-emulator"  # noqa: S105  (the same)
    rotate: bool = False
    """Whether each refresh gives a new refresh token and ends the old one."""
    username: str = "integration@emulator.example.com"
    certificate: str = ""
    """The public key, as PEM, that assertions are verified with; without one there is no JWT flow."""
    session_life: float = 7200.0
    """Seconds a session lives after its last call."""
    daily: int = 100_000
    """Calls in any 24 hours."""
    prepared: bool = False
    """Whether the objects and fields that ``provision`` makes are there and may be used."""
    person_accounts: bool = False
    """Whether the org has person accounts."""
    duplicates: DuplicateRule = DuplicateRule.OFF
    newline_units: int = 1
    """What a line end counts for in the length of a text: 1, or 2 as an org may do."""
    unknown_column_refuses: str = "request"
    """Whether an unknown column refuses the whole ``request`` or the ``record`` alone."""
    deleted_key: str = "error"
    """What an upsert by the key of a record in the recycle bin does: an ``error``, or a ``new`` record."""
    converted_links: str = "refused"
    """Whether a new lookup to a converted lead is ``refused`` or ``allowed``."""
    maps_visitor: bool = False
    """Whether a conversion takes Chat_Visitor_Id__c over to the contact."""
    latency: float = 0.0
    """Seconds every call waits."""
