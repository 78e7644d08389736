"""The life cycle of an instance: check, use from several threads, close."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

from chatferry.connector import Connector, Finding, Level
from chatferry.errors import PermanentFailure
from chatferry.model import Record
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import Cases, delivered, holds_content, needs, outcomes, snapshot
from chatferry.testing.harness import Harness


class LifeCases(Cases):
    """What the engine does with a connector besides delivering."""

    def test_check_finds_nothing_wrong_with_a_good_account(self, connector: Connector) -> None:
        """There is at least one finding, and none is an error."""
        findings = list(connector.check())
        assert findings, "the check returned no finding"
        for finding in findings:
            assert isinstance(finding, Finding)
            assert finding.level is not Level.ERROR, f"{finding.subject}: {finding.message}"

    def test_check_writes_nothing(self, crm: Harness, connector: Connector) -> None:
        """Neither in an empty account nor in one with records."""
        empty = snapshot(crm)
        connector.check()
        assert snapshot(crm) == empty
        delivered(connector, crm.leads.ordinary())
        before = snapshot(crm)
        connector.check()
        assert snapshot(crm) == before

    def test_leads_are_not_changed(self, crm: Harness, connector: Connector) -> None:
        """The engine keeps them for the next attempt and for other destinations."""
        leads = [crm.leads.rich(1), crm.leads.hostile("=1\r\n", 2)]
        before = deepcopy(leads)
        delivered(connector, *leads)
        assert leads == before

    def test_it_can_be_used_in_another_thread(self, crm: Harness, connector: Connector) -> None:
        """It is made in one thread and called in others, never in two at once."""
        leads = crm.leads.several(2)
        for lead in leads:
            with ThreadPoolExecutor(max_workers=1) as pool:
                pool.submit(delivered, connector, lead).result()
        holds_content(crm, *leads)

    def test_two_instances_serve_one_account(self, crm: Harness, connector: Connector) -> None:
        """Two processes may deliver to one destination, and one may close while the other works."""
        leads = crm.leads.several(3)
        delivered(connector, leads[0])
        second = crm.connect()
        try:
            delivered(second, leads[0], leads[1])
            delivered(connector, leads[1], leads[2])
        finally:
            second.close()
        delivered(connector, *leads)
        holds_content(crm, *leads)

    def test_it_can_be_closed_twice(self, crm: Harness) -> None:
        """Also when it was never used."""
        connector = crm.connect()
        connector.close()
        connector.close()
        used = crm.connect()
        delivered(used, crm.leads.ordinary())
        used.close()
        used.close()

    @needs(Capability.REQUIRED_FIELDS)
    def test_it_is_usable_after_a_refusal(self, crm: Harness, connector: Connector) -> None:
        """A refused lead leaves no state in the instance."""
        nothing = {shape.name: Record() for shape in crm.shapes}
        bad, good = replace(crm.leads.ordinary(1), records=nothing), crm.leads.ordinary(2)
        (outcome,) = outcomes(connector, [bad])
        assert isinstance(outcome, PermanentFailure), f"got {outcome!r}"
        delivered(connector, good)
        holds_content(crm, good)
