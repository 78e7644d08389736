"""Rate limits and quotas."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from datetime import UTC, datetime

from chatferry.connector import Connector
from chatferry.errors import QuotaExhausted, RateLimited
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import Cases, delivered, holds_content, needs, refused
from chatferry.testing.harness import Harness
from chatferry.testing.trouble import Trouble


class LimitCases(Cases):
    """The engine waits, not the connector: a call that sleeps blocks the destination."""

    @needs(Capability.RATE_LIMITS)
    def test_a_rate_limit_says_how_long(self, crm: Harness, connector: Connector) -> None:
        """The CRM's ``Retry-After`` reaches the engine."""
        crm.misbehave(Trouble.TOO_FAST)
        error = refused(connector, *crm.leads.several(2), kind=RateLimited)
        assert error.retry_after is not None, "the wait is not passed on"
        assert error.retry_after >= crm.retry_after, f"the CRM asked for {crm.retry_after} s"

    @needs(Capability.RATE_LIMITS)
    def test_a_rate_limit_without_a_wait_is_still_one(self, crm: Harness, connector: Connector) -> None:
        """Some answers have no ``Retry-After``; the connector may guess, but must not crash."""
        crm.misbehave(Trouble.TOO_FAST_UNSAID)
        refused(connector, crm.leads.ordinary(), kind=RateLimited)

    @needs(Capability.RATE_LIMITS)
    def test_after_a_burst_everything_arrives_once(self, crm: Harness, connector: Connector) -> None:
        """Leads that hit the rate limit are delivered afterwards, without duplicates."""
        leads = crm.leads.several(2)
        crm.misbehave(Trouble.TOO_FAST)
        refused(connector, *leads, kind=RateLimited)
        crm.behave()
        delivered(connector, *leads)
        holds_content(crm, *leads)

    @needs(Capability.QUOTA)
    def test_a_spent_allowance_pauses_the_destination(self, crm: Harness, connector: Connector) -> None:
        """A quota is no rate limit and no failure of the leads; ``until``, if set, is in the future."""
        crm.misbehave(Trouble.QUOTA_SPENT)
        error = refused(connector, *crm.leads.several(2), kind=QuotaExhausted)
        if error.until is not None:
            assert error.until.tzinfo is not None, "the time has no time zone"
            assert error.until > datetime.now(UTC), "the quota is renewed already"
