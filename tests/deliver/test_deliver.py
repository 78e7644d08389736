from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatferry import (
    AuthFailure,
    DeliveryError,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    Receipt,
    TemporaryFailure,
)
from chatferry.ledger import Ledger
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.destinations import PauseKind
from chatferry.settings.model import RetrySettings


@pytest.fixture
def lead(ferry):
    """One conversation that closed and whose webhook arrived."""
    (one,) = ferry.play()
    ferry.tell_closed(one)
    return one


def test_an_accepted_conversation_reaches_the_crm(ferry, lead):
    ferry.run()
    truth = ferry.truth(lead)
    assert ferry.row(lead)["email"] == truth.email
    assert ferry.row(lead)["first_name"] == truth.visitor["firstName"]
    assert ferry.state(lead) is DeliveryState.DELIVERED
    assert ferry.ledger.destinations.state("crm").last_success_at == ferry.clock.now


def test_a_temporary_failure_is_tried_again_not_before_the_crm_wants_it(ferry, lead):
    ferry.crm.next(lambda leads: [TemporaryFailure("it is busy", retry_after=500)] * len(leads))
    ferry.run()
    failed = ferry.delivery(lead)
    assert (failed.state, failed.attempts, failed.reason) == (DeliveryState.DUE, 1, "it is busy")
    assert failed.due_at >= ferry.clock.now + 500
    ferry.clock.now = failed.due_at
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED


def test_newer_content_of_a_lead_that_fails_is_not_sent_before_the_crm_wants_it_either(ferry, lead):
    began = ferry.clock.now

    def busy(leads):
        return [TemporaryFailure("it is busy", retry_after=3600, code="LOCKED")] * len(leads)

    ferry.crm.next(busy, busy)
    ferry.run()
    first = ferry.delivery(lead)
    ferry.clock.forward(60)
    ferry.tell(ferry.later(lead, "satisfaction.answered", "e-csat", customerSatisfaction=5))
    ferry.run()
    waiting = ferry.delivery(lead)
    assert waiting.fingerprint != first.fingerprint
    assert (waiting.due_at, waiting.attempts, waiting.failing_since) == (first.due_at, 1, began)
    assert (waiting.reason, waiting.code) == ("it is busy", "LOCKED")
    assert len(ferry.crm.calls) == 1
    ferry.clock.now = waiting.due_at
    ferry.run()
    again = ferry.delivery(lead)
    assert (again.attempts, again.failing_since) == (2, began)
    ferry.clock.now = again.due_at
    ferry.run()
    assert ferry.row(lead)["csat"] == 5


def test_newer_content_does_not_restart_the_days_after_which_a_lead_is_given_up(ferry, lead):
    ferry.crm.next(*[lambda leads: [TemporaryFailure("it is busy")] * len(leads)] * 100)
    for number in range(5):
        news = ferry.later(lead, "satisfaction.answered", f"e-{number}", customerSatisfaction=number + 1)
        ferry.tell(news)
        ferry.run()
        ferry.clock.forward(ferry.settings.retry.give_up_after / 4)
    assert ferry.state(lead) is DeliveryState.DEAD


def test_a_rate_limit_on_the_whole_batch_makes_the_destination_wait(ferry, lead):
    ferry.crm.next(RateLimited("slow down", retry_after=120))
    ferry.run()
    state = ferry.ledger.destinations.state("crm")
    assert state.pause_kind is PauseKind.BACKING_OFF
    assert state.paused_until >= ferry.clock.now + 120
    ferry.clock.now = state.paused_until
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED
    assert ferry.ledger.destinations.state("crm").pause_kind is None


def test_waits_grow_with_each_failure_and_end_when_the_crm_is_back(ferry, lead):
    ferry.crm.next(*[TemporaryFailure("it is away")] * 8)
    for _ in range(8):
        ferry.run()
        ferry.clock.now = max(
            ferry.ledger.destinations.state("crm").paused_until, ferry.delivery(lead).due_at
        )
    assert ferry.ledger.destinations.state("crm").failures == 8
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED
    assert ferry.delivery(lead).attempts == 0


def test_the_longest_wait_of_leads_that_fail_among_others_doubles_with_each_failure(ferry):
    ferry.options["retry"] = RetrySettings(first=10, longest=1000)
    fine, *failing = ferry.play(31)
    ferry.tell_closed(fine, *failing)
    ferry.crm.next(*[lambda leads: [of(lead) for lead in leads]] * 2)

    def of(lead):
        return Receipt() if lead.key == ferry.key(fine) else TemporaryFailure("not now")

    for longest in (20, 40):
        ferry.run()
        waits = [ferry.delivery(one).due_at - ferry.clock.now for one in failing]
        assert 10 <= min(waits) <= max(waits) <= longest
        ferry.tell(ferry.later(fine, "satisfaction.answered", "e-csat", customerSatisfaction=4))
        ferry.clock.forward(longest)
    assert max(waits) > 20


def test_a_lead_that_fails_for_days_is_dead_with_the_crms_own_message(ferry, lead):
    def busy(leads):
        return [TemporaryFailure("it is busy", crm_message="Row is locked", code="LOCKED")] * len(leads)

    began = ferry.clock.now
    ferry.crm.next(*[busy] * 1000)
    ferry.run()
    while ferry.state(lead) is not DeliveryState.DEAD:
        ferry.clock.forward(6 * 3600)
        ferry.run()
    assert ferry.clock.now - began >= ferry.settings.retry.give_up_after
    dead = ferry.delivery(lead)
    assert (dead.crm_message, dead.code, dead.due_at) == ("Row is locked", "LOCKED", None)
    assert dead.attempts > 10


def test_a_spent_quota_pauses_the_destination_and_counts_nothing(ferry, lead):
    back = datetime.fromtimestamp(ferry.clock.now + 7200, UTC)
    ferry.crm.next(QuotaExhausted("the day's calls are spent", until=back))
    ferry.run()
    state = ferry.ledger.destinations.state("crm")
    assert (state.pause_kind, state.paused_until) == (PauseKind.QUOTA, back.timestamp())
    assert state.failures == 0
    assert ferry.delivery(lead).attempts == 0
    assert ferry.delivery(lead).failing_since is None
    ferry.clock.now = state.paused_until - 1
    ferry.run()
    assert len(ferry.crm.calls) == 1
    ferry.clock.now = state.paused_until
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED


def test_refused_credentials_pause_the_destination_until_a_probe_succeeds(ferry, lead):
    ferry.crm.next(AuthFailure("401"))
    ferry.crm.refuse_to_work("the key was revoked")
    ferry.run()
    assert ferry.ledger.destinations.state("crm").pause_kind is PauseKind.CREDENTIALS
    assert ferry.delivery(lead).attempts == 0

    ferry.clock.now = ferry.ledger.destinations.state("crm").paused_until
    ferry.run()
    state = ferry.ledger.destinations.state("crm")
    assert (state.pause_kind, state.pause_reason) == (PauseKind.CREDENTIALS, "the key was revoked")
    assert state.failures == 2
    assert (ferry.crm.checks, len(ferry.crm.calls)) == (1, 1)

    ferry.crm.findings = []
    ferry.clock.now = state.paused_until
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED
    assert ferry.ledger.destinations.state("crm").pause_kind is None


def test_a_permanent_failure_is_dead_at_once_with_the_crms_own_message(ferry, lead):
    words = "Q1: ann@example.com is not in the list"
    refusal = PermanentFailure(
        "a value is not in the list", crm_message=words, code="PICKLIST", reference="c-1"
    )
    ferry.crm.next(lambda leads: [refusal] * len(leads))
    ferry.run()
    dead = ferry.delivery(lead)
    assert (dead.state, dead.due_at) == (DeliveryState.DEAD, None)
    assert (dead.reason, dead.crm_message) == ("a value is not in the list", words)
    assert (dead.code, dead.reference) == ("PICKLIST", "c-1")


def test_a_connector_that_raises_anything_is_a_temporary_failure(ferry, lead):
    ferry.crm.next(ZeroDivisionError("secret text"))
    ferry.run()
    failed = ferry.delivery(lead)
    assert failed.state is DeliveryState.DUE
    assert failed.reason == "the connector failed with ZeroDivisionError"


class OfItsOwn(DeliveryError):
    """A kind of failure that only its connector knows."""


@pytest.mark.parametrize("kind", [DeliveryError, OfItsOwn])
def test_an_unknown_kind_of_error_is_temporary_and_kills_no_lead(ferry, kind):
    ids = ferry.play(3)
    ferry.tell_closed(*ids)
    poison = ferry.key(ids[1])

    def fail(leads):
        if any(lead.key == poison for lead in leads):
            raise kind("the proxy said no")
        return ferry.crm.take(leads)

    ferry.crm.next(*[fail] * 5)
    ferry.run()
    assert [ferry.state(one) for one in ids] == [
        DeliveryState.DELIVERED,
        DeliveryState.DUE,
        DeliveryState.DELIVERED,
    ]
    assert ferry.ledger.destinations.state("crm").pause_kind is None
    failed = ferry.delivery(ids[1])
    assert (failed.reason, failed.attempts) == ("the proxy said no", 1)
    ferry.crm.next(lambda leads: [kind("still no")] * len(leads))
    ferry.clock.now = failed.due_at
    ferry.run()
    assert (ferry.state(ids[1]), ferry.delivery(ids[1]).attempts) == (DeliveryState.DUE, 2)


@pytest.mark.parametrize("size", [1, 3, 10])
def test_no_call_holds_more_leads_than_the_connector_takes(ferry, size):
    ferry.limits["batch_size"] = size
    ids = ferry.play(10)
    ferry.tell_closed(*ids)
    ferry.run()
    assert {len(call) for call in ferry.crm.calls} <= set(range(1, size + 1))
    assert max(len(call) for call in ferry.crm.calls) == size
    assert sorted(ferry.crm.delivered) == sorted(map(ferry.key, ids))


def test_one_poisoned_lead_is_dead_and_its_companions_are_delivered(ferry):
    ids = ferry.play(12)
    ferry.tell_closed(*ids)
    poison = ferry.key(ids[5])

    def refuse_the_batch(leads):
        if any(lead.key == poison for lead in leads):
            raise PermanentFailure("the request was refused")
        return ferry.crm.take(leads)

    ferry.crm.next(*[refuse_the_batch] * 30)
    ferry.run()
    assert [one for one in ids if ferry.state(one) is not DeliveryState.DELIVERED] == [ids[5]]
    assert ferry.state(ids[5]) is DeliveryState.DEAD


def test_each_lead_of_a_batch_gets_its_own_outcome(ferry):
    ids = ferry.play(3)
    ferry.tell_closed(*ids)
    outcomes = [Receipt(ids={"conversation": "1"}), PermanentFailure("no"), TemporaryFailure("not now")]
    answers = dict(zip([ferry.key(one) for one in ids], outcomes, strict=True))
    ferry.crm.next(lambda leads: [answers[lead.key] for lead in leads])
    ferry.run()
    assert [ferry.state(one) for one in ids] == [
        DeliveryState.DELIVERED,
        DeliveryState.DEAD,
        DeliveryState.DUE,
    ]


def test_newer_content_queued_while_an_older_one_is_in_flight_is_delivered_after_it(ferry, lead):
    def meanwhile(leads):
        ferry.tell(ferry.later(lead, "satisfaction.answered", "e-csat", customerSatisfaction=5))
        ferry.engine.sync()
        return ferry.crm.take(leads)

    ferry.crm.next(meanwhile)
    ferry.engine.sync()
    ferry.engine.deliver("crm")
    assert "csat" not in ferry.row(lead)
    assert ferry.state(lead) is DeliveryState.DUE
    assert ferry.delivery(lead).receipt is not None
    ferry.run()
    assert ferry.row(lead)["csat"] == 5
    assert ferry.state(lead) is DeliveryState.DELIVERED


def test_what_the_crm_said_of_an_older_content_does_not_kill_the_newer(ferry, lead):
    def meanwhile(leads):
        ferry.tell(ferry.later(lead, "satisfaction.answered", "e-csat", customerSatisfaction=5))
        ferry.engine.sync()
        return [PermanentFailure("no")] * len(leads)

    ferry.crm.next(meanwhile)
    ferry.run()
    assert ferry.state(lead) is DeliveryState.DELIVERED
    assert ferry.row(lead)["csat"] == 5


def test_a_lead_is_delivered_with_the_receipt_of_its_last_delivery(ferry, lead):
    receipts = []

    def look(leads):
        receipts.extend(one.receipt for one in leads)
        return [Receipt(ids={"conversation": "c-7"})] * len(leads)

    ferry.crm.next(look, look)
    ferry.run()
    ferry.tell(ferry.later(lead, "satisfaction.answered", "e-csat", customerSatisfaction=5))
    ferry.run()
    assert receipts == [None, Receipt(ids={"conversation": "c-7"})]


def test_a_snapshot_that_cannot_be_read_is_dead_and_delays_no_other_delivery(ferry):
    ids = ferry.play(2)
    ferry.tell_closed(*ids)
    ferry.engine.sync()
    with ferry.ledger.database.write() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET lead = NULL WHERE id = 1")
    ferry.run()
    states = sorted((ferry.delivery(one).id, ferry.state(one)) for one in ids)
    assert [state for _, state in states] == [DeliveryState.DEAD, DeliveryState.DELIVERED]
    (dead,) = [ferry.delivery(one) for one in ids if ferry.state(one) is DeliveryState.DEAD]
    assert "have it read again" in dead.reason


def test_a_hung_destination_delays_no_other(ferry, gate):
    ferry.limits["timeout"] = 0.5
    slow = ferry.destination("slow")
    slow.next(lambda leads: gate.wait(60) and slow.take(leads))
    (lead,) = ferry.play()
    ferry.tell_closed(lead)
    ferry.run()
    assert ferry.state(lead, "crm") is DeliveryState.DELIVERED
    assert ferry.ledger.destinations.state("slow").pause_kind is PauseKind.HUNG
    assert ferry.state(lead, "slow") is DeliveryState.DUE
    assert ferry.ledger.destinations.state("crm").pause_kind is None


def test_a_process_whose_lease_ran_out_does_not_end_the_lease_of_another(ferry, lead, ledger_url):
    """A process that was suspended for longer than its lease goes on while another delivers."""
    other = Ledger.open(ledger_url)
    try:
        second = ferry.another(other)

        def suspended(leads):
            ferry.clock.forward(ferry.settings.runner.lease + 1)
            assert other.deliveries.lease(
                "crm", other.owner, *_for_a_minute(ferry), limit=9, linger=0
            ).deliveries
            return ferry.crm.take(leads)

        ferry.crm.next(suspended)
        ferry.engine.sync()
        ferry.engine.deliver("crm")
        third = Ledger.open(ledger_url)
        try:
            late = ferry.later(lead, "satisfaction.answered", "e-csat", customerSatisfaction=5)
            ferry.tell(late)
            ferry.engine.sync()
            assert not third.deliveries.lease(
                "crm", third.owner, *_for_a_minute(ferry), limit=9, linger=0
            ).deliveries
        finally:
            third.close()
        assert second.deliver("crm") == 1
        assert ferry.row(lead)["csat"] == 5
    finally:
        other.close()


def test_newest_content_wins_over_an_older_batch_of_a_suspended_process(ferry, lead, ledger_url):
    """The process goes on after another has delivered newer content, and writes what it has."""
    other = Ledger.open(ledger_url)
    try:
        second = ferry.another(other)

        def suspended(leads):
            ferry.tell(ferry.later(lead, "satisfaction.answered", "e-csat", customerSatisfaction=5))
            ferry.engine.sync()
            ferry.clock.forward(ferry.settings.runner.lease + 1)
            assert second.deliver("crm") == 1
            ferry.crm.rows.clear()  # as if the older content had a value of its own
            return ferry.crm.take(leads)

        ferry.crm.next(suspended)
        ferry.engine.sync()
        ferry.engine.deliver("crm")
        assert "csat" not in ferry.row(lead)
        assert ferry.state(lead) is DeliveryState.DUE
        ferry.run()
        assert ferry.row(lead)["csat"] == 5
        assert ferry.state(lead) is DeliveryState.DELIVERED
        assert len(ferry.crm.calls) == 3
    finally:
        other.close()


def test_newest_content_wins_over_a_call_that_hung_and_was_abandoned(ferry, gate):
    ferry.limits["timeout"] = 0.5
    (lead,) = ferry.play()
    ferry.tell_closed(lead)
    dispatcher = ferry.engine.dispatchers["crm"]

    def hang(leads):
        gate.wait(60)
        ferry.crm.rows.clear()  # as if the older content had a value of its own
        return ferry.crm.take(leads)

    ferry.crm.next(hang)
    ferry.run()
    ((late),) = dispatcher._late
    ferry.tell(ferry.later(lead, "satisfaction.answered", "e-csat", customerSatisfaction=5))
    dispatcher._connector._clock = lambda: float("inf")  # long after a hung call is abandoned
    while ferry.state(lead) is not DeliveryState.DELIVERED:
        ferry.clock.forward(600)
        ferry.run()
    gate.set()
    late.call.exception(60)
    assert "csat" not in ferry.row(lead)
    ferry.run()
    assert ferry.row(lead)["csat"] == 5
    ferry.run()
    assert len(ferry.crm.calls) == 3


def _for_a_minute(ferry):
    return ferry.clock.now, ferry.clock.now + 60


def test_a_crm_that_every_lead_of_a_batch_finds_away_is_left_alone_for_a_while(ferry):
    ferry.limits["batch_size"] = 5
    some = ferry.play(40)
    ferry.tell_closed(*some)

    def away(leads):
        return [TemporaryFailure("the record is locked (423)") for _ in leads]

    ferry.crm.next(*[away] * 100)
    ferry.run()
    assert len(ferry.crm.calls) == 1
    assert ferry.ledger.destinations.state("crm").pause_kind is PauseKind.BACKING_OFF
    ferry.crm.script.clear()
    ferry.clock.forward(3600)
    ferry.run()
    assert sorted(set(ferry.crm.delivered)) == sorted(map(ferry.key, some))


def test_one_lead_alone_that_fails_holds_back_no_other(ferry):
    first, second = ferry.play(2)
    ferry.tell_closed(first)
    ferry.crm.next(lambda leads: [TemporaryFailure("the record is locked (423)") for _ in leads])
    ferry.run()
    ferry.tell_closed(second)
    ferry.run()
    assert ferry.state(second) is DeliveryState.DELIVERED
