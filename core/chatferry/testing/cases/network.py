"""Broken and missing answers: no lead is lost, duplicated or taken for delivered."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from math import ceil

from chatferry.connector import Connector, Outcome
from chatferry.errors import TemporaryFailure
from chatferry.model import Lead, Receipt
from chatferry.testing.capability import Capability
from chatferry.testing.cases.case import (
    Cases,
    delivered,
    holds_content,
    holds_no_orphans,
    holds_receipts,
    key_of,
    needs,
    outcomes,
)
from chatferry.testing.harness import Harness
from chatferry.testing.trouble import Trouble


class NetworkCases(Cases):
    """In each case the same leads are delivered again afterwards, without duplicates."""

    @needs(Capability.NETWORK)
    def test_a_server_error_is_temporary(self, crm: Harness, connector: Connector) -> None:
        """A server error makes no lead dead."""
        _fails_and_recovers(crm, connector, Trouble.SERVER_ERROR)

    @needs(Capability.NETWORK)
    def test_a_gateways_html_page_is_temporary(self, crm: Harness, connector: Connector) -> None:
        """An HTML body is not parsed as JSON."""
        _fails_and_recovers(crm, connector, Trouble.HTML_ERROR)

    @needs(Capability.NETWORK)
    def test_html_with_a_good_status_is_no_success(self, crm: Harness, connector: Connector) -> None:
        """The log-in page of a proxy has status 200 too."""
        _fails_and_recovers(crm, connector, Trouble.HTML_ANSWER)

    @needs(Capability.NETWORK)
    def test_an_empty_answer_is_no_success(self, crm: Harness, connector: Connector) -> None:
        """An empty body does not confirm that anything was stored."""
        _fails_and_recovers(crm, connector, Trouble.EMPTY_ANSWER)

    @needs(Capability.NETWORK)
    def test_a_broken_connection_is_temporary(self, crm: Harness, connector: Connector) -> None:
        """The library's exception does not reach the engine."""
        _fails_and_recovers(crm, connector, Trouble.RESET)

    @needs(Capability.NETWORK)
    def test_a_timeout_before_anything_is_stored_is_temporary(
        self, crm: Harness, connector: Connector
    ) -> None:
        """The connector has a time-out of its own, below its ``timeout``: the CRM never answers."""
        leads = crm.leads.several(2)
        crm.misbehave(Trouble.TIMEOUT_BEFORE)
        for outcome in _through_silence(crm, connector, leads):
            assert isinstance(outcome, TemporaryFailure), f"a silence came out as {outcome!r}"
        delivered(connector, *leads)
        holds_content(crm, *leads)

    @needs(Capability.NETWORK)
    def test_a_timeout_after_everything_is_stored_doubles_nothing(
        self, crm: Harness, connector: Connector
    ) -> None:
        """The same key (idempotency key) finds the record of the call without an answer; for each object."""
        for number, shape in enumerate(crm.shapes):
            leads = [crm.leads.ordinary(10 * number + n) for n in (1, 2)]
            crm.misbehave(Trouble.TIMEOUT_AFTER, times=1, key=key_of(crm, shape, leads[1]))
            for outcome in _through_silence(crm, connector, leads):
                assert isinstance(outcome, Receipt | TemporaryFailure), f"a time-out came out as {outcome!r}"
            delivered(connector, *leads)
            holds_content(crm, *leads)

    @needs(Capability.NETWORK)
    def test_a_timeout_after_storing_a_lead_without_email_doubles_nothing(
        self, crm: Harness, connector: Connector
    ) -> None:
        """Also without an e-mail, the only key that CRMs know by themselves, and in another process."""
        for number, shape in enumerate(crm.shapes):
            lead = crm.leads.ordinary(10 * number + 1, with_email=False)
            crm.misbehave(Trouble.TIMEOUT_AFTER, times=1, key=key_of(crm, shape, lead))
            _through_silence(crm, connector, [lead])
            fresh = crm.connect()
            try:
                delivered(fresh, lead)
            finally:
                fresh.close()
            holds_content(crm, lead)

    @needs(Capability.NETWORK)
    def test_what_a_lost_answer_leaves_behind_has_its_key(self, crm: Harness, connector: Connector) -> None:
        """No record is created before its key is set: a retry could not find it again."""
        lead = crm.leads.ordinary()
        for key in (None, *(key_of(crm, shape, lead) for shape in crm.shapes)):
            crm.misbehave(Trouble.TIMEOUT_AFTER, times=1, key=key)
            _through_silence(crm, connector, [lead])
            holds_no_orphans(crm)
        delivered(connector, lead)
        holds_content(crm, lead)

    @needs(Capability.NETWORK)
    def test_one_hiccup_costs_nothing(self, crm: Harness, connector: Connector) -> None:
        """A single broken connection is retried by the connector or by the engine: never a crash."""
        leads = crm.leads.several(2)
        delivered(connector, leads[0])
        crm.misbehave(Trouble.RESET, times=1)
        for outcome in outcomes(connector, leads):
            assert isinstance(outcome, Receipt | TemporaryFailure), f"a hiccup came out as {outcome!r}"
        holds_receipts(crm, leads, delivered(connector, *leads))


class FileCases(Cases):
    """Records that are files on a disk."""

    @needs(Capability.FILES)
    def test_a_full_disk_is_temporary_and_leaves_nothing_half_written(
        self, crm: Harness, connector: Connector
    ) -> None:
        """Existing records stay readable, and the lead is delivered once there is space."""
        leads = crm.leads.several(2)
        delivered(connector, leads[0])
        crm.misbehave(Trouble.DISK_FULL)
        (outcome,) = outcomes(connector, [leads[1]])
        assert isinstance(outcome, TemporaryFailure), f"a full disk came out as {outcome!r}"
        crm.behave()
        holds_content(crm, leads[0])
        delivered(connector, leads[1])
        holds_content(crm, *leads)


def _through_silence(crm: Harness, connector: Connector, leads: Sequence[Lead]) -> Sequence[Outcome]:
    """Deliver to a CRM that is silent until it behaves: the connector has to come back before that."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        call = pool.submit(outcomes, connector, leads)
        calls = ceil(len(leads) / connector.batch_size)
        _, waiting = wait([call], timeout=calls * connector.timeout)
        crm.behave()
    assert not waiting, f"the connector still waited for an answer after its {connector.timeout:g} s"
    return call.result()


def _fails_and_recovers(crm: Harness, connector: Connector, trouble: Trouble) -> None:
    leads = crm.leads.several(2)
    crm.misbehave(trouble)
    for outcome in outcomes(connector, leads):
        assert isinstance(outcome, TemporaryFailure), f"{trouble.name} came out as {outcome!r}"
    crm.behave()
    delivered(connector, *leads)
    holds_content(crm, *leads)
