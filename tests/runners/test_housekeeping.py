from __future__ import annotations

from types import SimpleNamespace

import pytest

from chatferry import hookimpl
from chatferry.errors import LedgerUnavailable, TemporaryFailure
from chatferry.iadvize.facts import retained_facts
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.runners.housekeeping import prune, record_hook_failures
from chatferry.runners.reconciliation import ScheduledReconciliation
from chatferry.settings.model import ReconcileSettings, RetentionSettings, RetrySettings

DAY = 86_400.0


@pytest.fixture
def lead(ferry):
    (one,) = ferry.play()
    ferry.tell_closed(one)
    ferry.run()
    return one


def events(ferry):
    return ferry.ledger.status(ferry.clock.now).events


def test_events_and_leads_are_kept_for_their_time_and_not_longer(ferry, lead):
    ferry.options["retention"] = RetentionSettings(events_days=30, leads_days=90)
    engine = ferry.another(ferry.ledger)
    for days, kept in ((29, (1, True)), (31, (0, True)), (91, (0, False))):
        ferry.clock.now += DAY * days - (
            ferry.clock.now - ferry.ledger.destinations.state("crm").last_success_at
        )
        prune(engine)
        assert (events(ferry), ferry.delivery(lead).lead is not None) == kept
    assert ferry.state(lead) is DeliveryState.DELIVERED


def test_what_only_pruned_events_told_still_goes_to_the_crm(ferry, lead):
    ferry.tell(ferry.later(lead, "transaction.attributed", "e-bought", transactionId="t-1", amount=10))
    ferry.tell(ferry.later(lead, "satisfaction.answered", "e-csat", customerSatisfaction=2))
    ferry.run()
    ferry.clock.forward(31 * DAY)
    assert ferry.ledger.events.prune(ferry.clock.now - 30 * DAY, retained_facts) == 3
    ferry.tell(ferry.later(lead, "transaction.attributed", "e-again", transactionId="t-2", amount=20))
    ferry.run()
    assert (ferry.row(lead)["csat"], ferry.row(lead)["transactions"]) == (2, 2)


def test_a_retention_of_0_keeps_everything(ferry, lead):
    ferry.options["retention"] = RetentionSettings(events_days=0, leads_days=0)
    ferry.clock.now += 1000 * DAY
    prune(ferry.another(ferry.ledger))
    assert events(ferry) == 1
    assert ferry.delivery(lead).lead is not None


def test_reconciliation_runs_at_the_start_and_then_every_so_often(ferry):
    ferry.options["reconcile"] = ReconcileSettings(at_start=True, every=3600.0, overlap=600.0)
    engine = ferry.another(ferry.ledger)
    scheduled = ScheduledReconciliation(engine)
    complete = ferry.ledger.reconciliations.complete_until
    scheduled.run_if_due()
    first = ferry.clock.now
    assert complete("ha", 335) == first
    ferry.clock.now += 3599
    scheduled.run_if_due()
    assert complete("ha", 335) == first
    ferry.clock.now += 1
    scheduled.run_if_due()
    assert complete("ha", 335) == first + 3600


def test_reconciliation_can_wait_for_its_time_or_be_off(ferry):
    for settings in (ReconcileSettings(at_start=False), ReconcileSettings(at_start=False, every=0)):
        ferry.options["reconcile"] = settings
        ScheduledReconciliation(ferry.another(ferry.ledger)).run_if_due()
    assert ferry.ledger.reconciliations.complete_until("ha", 335) is None


def test_what_one_process_compared_no_other_compares_again(ferry):
    complete = ferry.ledger.reconciliations.complete_until
    first, second = (ScheduledReconciliation(ferry.another(ferry.ledger)) for _ in range(2))
    begun = ferry.clock.now
    for passed, compared in ((60, 60), (3600, 60), (3660, 3660), (3700, 3660)):
        ferry.clock.now = begun + passed
        first.run_if_due()
        ferry.clock.now += 1
        second.run_if_due()
        assert complete("ha", 335) == begun + compared


def test_a_process_that_starts_compares_whatever_was_compared_before(ferry):
    for _ in range(2):
        ferry.clock.forward(60)
        ScheduledReconciliation(ferry.another(ferry.ledger)).run_if_due()
        assert ferry.ledger.reconciliations.complete_until("ha", 335) == ferry.clock.now


def test_one_process_at_a_time_reconciles(ferry):
    ferry.ledger.leases.take("reconciliation", "somebody else", ferry.clock.now, ferry.clock.now + 60)
    ScheduledReconciliation(ferry.another(ferry.ledger)).run_if_due()
    assert ferry.ledger.reconciliations.complete_until("ha", 335) is None


def test_a_platform_that_refuses_is_asked_again_later(ferry):
    ferry.world.faults.switch_on("server-error:x50")
    scheduled = ScheduledReconciliation(ferry.another(ferry.ledger))
    scheduled.run_if_due()
    assert ferry.ledger.reconciliations.complete_until("ha", 335) is None
    ferry.world.faults.switch_off()
    ferry.clock.now += 301
    scheduled.run_if_due()
    assert ferry.ledger.reconciliations.complete_until("ha", 335) == ferry.clock.now


def test_what_hooks_did_wrong_is_written_down_counted_and_forgotten_after_a_day(ferry):
    def fail(conversation):
        raise KeyError(conversation)

    ferry.plugins.append(SimpleNamespace(__name__="clumsy", conversation_synced=hookimpl(fail)))
    ferry.tell_closed(*ferry.play(3))
    ferry.run()
    record_hook_failures(ferry.engine)
    record_hook_failures(ferry.engine)
    (told,) = ferry.ledger.hook_failures.since(0)
    where = f"{__name__}:{fail.__code__.co_firstlineno + 1}"
    assert (told.plugin, told.hook, told.count) == ("clumsy", "conversation_synced", 3)
    assert told.reason == f"conversation_synced raised KeyError at {where}"
    ferry.clock.forward(DAY + 1)
    prune(ferry.engine)
    assert ferry.ledger.hook_failures.since(0) == []


def test_what_could_not_be_written_down_is_kept_for_the_next_time(ferry, monkeypatch):
    def refuse(*_):
        raise LedgerUnavailable("it is away")

    for _ in range(2):
        ferry.engine.plugins.failures.add("clumsy", "1", "veto_delivery", "veto_delivery raised KeyError")
        with monkeypatch.context() as patched:
            patched.setattr(ferry.ledger.hook_failures, "add", refuse)
            with pytest.raises(LedgerUnavailable):
                record_hook_failures(ferry.engine)
    record_hook_failures(ferry.engine)
    assert [one.count for one in ferry.ledger.hook_failures.since(0)] == [2]


def test_the_time_of_a_lead_begins_when_it_is_delivered_not_when_it_was_queued(ferry):
    ferry.options["retention"] = RetentionSettings(events_days=30, leads_days=90)
    ferry.options["retry"] = RetrySettings(give_up_after=1000 * DAY)
    (one,) = ferry.play()
    ferry.tell_closed(one)
    ferry.crm.next(TemporaryFailure("away", retry_after=DAY))
    ferry.run()
    for days in (100, 189):  # after it was queued; it is delivered on the hundredth
        ferry.clock.now = max(ferry.clock.now, ferry.delivery(one).queued_at + days * DAY)
        ferry.run()
        prune(ferry.engine)
        assert ferry.state(one) is DeliveryState.DELIVERED
        assert ferry.delivery(one).lead is not None
    ferry.clock.forward(2 * DAY)
    prune(ferry.engine)
    assert ferry.delivery(one).lead is None
