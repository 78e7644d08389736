"""Credentials: expired, refused, not allowed."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from chatferry.connector import Connector, Level
from chatferry.errors import AuthFailure
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import Cases, delivered, holds_content, needs, refused
from chatferry.testing.harness import Harness
from chatferry.testing.trouble import Trouble


class AuthenticationCases(Cases):
    """What pauses a destination, and what must not."""

    @needs(Capability.RENEWAL)
    def test_expired_access_is_renewed(self, crm: Harness, connector: Connector) -> None:
        """A 401 for an expired token is no failure: renew the token and repeat the request."""
        delivered(connector, crm.leads.ordinary(1))
        crm.misbehave(Trouble.TOKEN_EXPIRED, times=1)
        lead = crm.leads.ordinary(2)
        delivered(connector, lead)
        holds_content(crm, lead)

    @needs(Capability.AUTHENTICATION)
    def test_refused_credentials_pause_the_destination(self, crm: Harness, connector: Connector) -> None:
        """A permanent 401 is an :class:`AuthFailure`, not a lead's failure."""
        crm.misbehave(Trouble.CREDENTIALS_REFUSED)
        refused(connector, *crm.leads.several(2), kind=AuthFailure)

    @needs(Capability.AUTHENTICATION)
    def test_a_missing_permission_pauses_the_destination(self, crm: Harness, connector: Connector) -> None:
        """A 403 concerns the account: it would fail every lead."""
        crm.misbehave(Trouble.FORBIDDEN)
        refused(connector, *crm.leads.several(2), kind=AuthFailure)

    @needs(Capability.AUTHENTICATION)
    def test_check_finds_refused_credentials(self, crm: Harness, connector: Connector) -> None:
        """As a finding an operator can read, not as an exception."""
        crm.misbehave(Trouble.CREDENTIALS_REFUSED)
        assert Level.ERROR in {finding.level for finding in connector.check()}

    @needs(Capability.AUTHENTICATION)
    def test_it_works_again_once_the_credentials_do(self, crm: Harness, connector: Connector) -> None:
        """A refusal is not remembered: check and deliver succeed with the same instance."""
        lead = crm.leads.ordinary()
        crm.misbehave(Trouble.CREDENTIALS_REFUSED)
        refused(connector, lead, kind=AuthFailure)
        crm.behave()
        assert Level.ERROR not in {finding.level for finding in connector.check()}
        delivered(connector, lead)
        holds_content(crm, lead)
