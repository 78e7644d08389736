"""Settings of the emulated account: plan, tokens, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.custom.read",
    "crm.objects.custom.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.schemas.custom.read",
    "crm.schemas.custom.write",
)

PLANS: Mapping[str, tuple[int, int]] = {
    "free": (100, 250_000),
    "starter": (100, 250_000),
    "professional": (190, 625_000),
    "enterprise": (190, 1_000_000),
}
"""Calls per 10 seconds for each key, and per day for the account (HubSpot docs, 'API usage guidelines')."""

OAUTH_BURST = 110
SEARCHES_A_SECOND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """Everything ``chatferry emulate hubspot`` lets its user choose."""

    seed: int = 0
    plan: str = "enterprise"
    tokens: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"pat-emulator": SCOPES})
    """Static tokens and the scopes of each."""
    burst: int | None = None
    """Calls per 10 seconds and token; None takes the plan's."""
    secondly: int | None = None
    """Calls per second and token; None is no limit."""
    daily: int | None = None
    """Calls per day of the account; None takes the plan's."""
    time_zone: str = "UTC"
    dates: tuple[str, ...] = ("2026-09",)
    """The dated API versions that are served; v3 and v4 always are."""
    client_id: str = "client-emulator"
    client_secret: str = "secret-emulator"  # noqa: S105  (it opens an emulator)
    refresh_token: str = "refresh-emulator"  # noqa: S105  (it opens an emulator)
    token_life: float = 1800.0
    """Seconds an OAuth access token lives."""
    rotate: bool = False
    """Whether each refresh gives a new refresh token and ends the old one."""
    search_lag: float = 5.0
    """Seconds after which a write can be found by search."""
    latency: float = 0.0
    """Seconds every call waits."""
    portal_id: int = 12_345_678

    @property
    def custom_objects(self) -> bool:
        """Whether the plan has them."""
        return self.plan == "enterprise"
