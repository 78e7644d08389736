from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from chatferry import hookimpl
from chatferry.ledger import Ledger
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.model import Satisfaction
from chatferry.settings.model import FieldSettings, LiveSettings, RetrySettings, StrategySettings


@pytest.fixture
def closed(ferry):
    (one,) = ferry.play()
    ferry.tell_closed(one)
    return one


def due(ferry) -> int:
    return ferry.ledger.status(ferry.clock.now).reading.due


def problems(ferry) -> list[str]:
    return [problem for problem, _ in ferry.ledger.status(ferry.clock.now).problems]


# ----------------------------------------------------------------------- duplicates and late facts


def test_the_same_event_again_delivers_nothing_again(ferry, closed):
    ferry.run()
    ferry.tell_closed(closed, closed)
    ferry.run()
    assert len(ferry.crm.calls) == 1


def test_another_event_that_changes_nothing_delivers_nothing(ferry, closed):
    ferry.run()
    ferry.tell(ferry.later(closed, "v2.conversation.closed", "e-again"))
    ferry.run()
    assert len(ferry.crm.calls) == 1


def test_late_facts_update_the_same_record(ferry, closed):
    ferry.run()
    ferry.tell(ferry.later(closed, "satisfaction.answered", "e-csat", customerSatisfaction=4))
    ferry.run()
    purchase = {"transactionId": "t-1", "amount": 12.5}
    ferry.tell(ferry.later(closed, "transaction.attributed", "e-bought", **purchase))
    ferry.run()
    assert ferry.crm.delivered == [ferry.key(closed)] * 3
    assert len(ferry.crm.rows) == 1
    assert (ferry.row(closed)["csat"], ferry.row(closed)["transactions"]) == (4, 1)


def test_an_erased_visitor_overwrites_nothing_with_emptiness(ferry, closed):
    ferry.run()
    known = ferry.row(closed)["first_name"]
    assert known
    ferry.world.erase_visitor(closed)
    ferry.tell(ferry.later(closed, "satisfaction.answered", "e-csat", customerSatisfaction=4))
    ferry.run()
    assert ferry.row(closed)["csat"] == 4
    assert ferry.row(closed)["first_name"] == known


def test_a_field_that_is_to_be_cleared_is_cleared(ferry):
    ferry.destination(
        "crm", mapping={"contact": {"first_name": FieldSettings(expression="visitor.first_name", clear=True)}}
    )
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    ferry.world.erase_visitor(closed)
    ferry.tell(ferry.later(closed, "satisfaction.answered", "e-csat", customerSatisfaction=4))
    ferry.run()
    assert ferry.row(closed)["first_name"] is None


# ------------------------------------------------------------------------ what iAdvize does not show


def test_a_close_that_iadvize_does_not_show_yet_is_waited_for(ferry, closed):
    ferry.world.faults.switch_on("late-close:x2")
    ferry.run()
    assert problems(ferry) == ["iAdvize still shows it as running"]
    assert not ferry.crm.calls
    ferry.clock.forward(2)
    ferry.run()
    ferry.clock.forward(60)
    ferry.run()
    assert abs(ferry.row(closed)["closed_at"] - ferry.truth(closed).closed_at) < timedelta(seconds=1)
    assert not problems(ferry)


def test_a_close_that_iadvize_never_shows_is_taken_from_the_webhook(ferry, closed):
    ferry.world.faults.switch_on("late-close=1000")
    waits = []
    for _ in range(10):
        ferry.run()
        if ferry.crm.calls:
            break
        before = ferry.clock.now
        while not due(ferry):
            ferry.clock.forward(1)
        waits.append(ferry.clock.now - before)
    assert [round(wait) for wait in waits[:3]] == [2, 10, 60]
    assert ferry.row(closed)["closed_at"]


def test_an_outage_before_is_no_reason_to_take_a_running_conversation_for_closed(ferry, closed):
    ferry.world.faults.switch_on("server-error=503")
    for _ in range(8):
        ferry.run()
        ferry.clock.forward(3600)
    ferry.world.faults.switch_off()
    ferry.world.faults.switch_on("late-close=3")
    for wait in (0, 2, 10):
        ferry.clock.forward(wait)
        ferry.run()
        assert problems(ferry) == ["iAdvize still shows it as running"]
    ferry.clock.forward(60)
    ferry.run()
    assert abs(ferry.row(closed)["closed_at"] - ferry.truth(closed).closed_at) < timedelta(seconds=1)


def test_a_conversation_that_is_not_there_yet_is_asked_for_again(ferry, closed):
    ferry.world.faults.switch_on("late-data=2")
    for wait in (0, 2, 10):
        ferry.clock.forward(wait)
        ferry.run()
    assert ferry.state(closed) is DeliveryState.DELIVERED


def test_a_conversation_that_never_comes_is_given_up_and_said_so(ferry):
    ferry.options["retry"] = RetrySettings(give_up_after=7200)
    ferry.tell_closed(*ferry.play())
    ferry.world.faults.switch_on("late-data=1000")
    for _ in range(14):
        ferry.run()
        ferry.clock.forward(900)
    (problem,) = problems(ferry)
    assert problem.startswith("given up: ")
    assert due(ferry) == 0


@pytest.mark.parametrize("outage", [None, "server-error=503", "login-refused"])
def test_what_fails_late_is_not_given_up_at_once(ferry, closed, outage):
    ferry.run()
    for _ in range(20):
        ferry.clock.forward(6 * 3600)
        if outage:
            ferry.tell(ferry.later(closed, "satisfaction.answered", "e-csat", customerSatisfaction=4))
            ferry.world.faults.switch_on(outage)
            ferry.run()
    ferry.world.faults.switch_off()
    ferry.tell(ferry.later(closed, "satisfaction.answered", "e-late", customerSatisfaction=4))
    ferry.world.faults.switch_on("late-data:x1")
    ferry.clock.forward(3600)
    ferry.run()
    ferry.clock.forward(3600)
    ferry.run()
    assert ferry.row(closed)["csat"] == 4


def test_an_iadvize_that_is_away_is_asked_again_and_never_given_up(ferry, closed):
    ferry.world.faults.switch_on("server-error=503")
    for _ in range(30):
        ferry.run()
        ferry.clock.forward(6 * 3600)
    ferry.world.faults.switch_off()
    ferry.run()
    assert ferry.state(closed) is DeliveryState.DELIVERED


def test_refused_credentials_are_waited_out(ferry, closed):
    ferry.world.faults.switch_on("login-refused")
    ferry.run()
    assert problems(ferry)
    assert due(ferry) == 0
    ferry.world.faults.switch_off()
    ferry.clock.forward(300)
    ferry.run()
    assert ferry.state(closed) is DeliveryState.DELIVERED


def test_what_was_given_up_is_tried_anew_as_often_after_another_event(ferry):
    ferry.options["retry"] = RetrySettings(give_up_after=7200)
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.world.faults.switch_on("late-data=1000")
    for _ in range(14):
        ferry.run()
        ferry.clock.forward(900)
    assert problems(ferry)[0].startswith("given up: ")
    ferry.tell(ferry.later(closed, "satisfaction.answered", "e-csat", customerSatisfaction=4))
    assert problems(ferry) == []
    ferry.run()
    ferry.world.faults.switch_off()
    ferry.clock.forward(60)
    ferry.run()
    assert ferry.row(closed)["csat"] == 4


def test_one_conversation_that_fails_does_not_fail_its_companions(ferry):
    first, *ids = ferry.play(6)
    ferry.tell_closed(first)
    ferry.run()  # the schema is known from now on
    ferry.tell_closed(*ids)
    ferry.world.faults.switch_on("graphql-errors:x1")
    ferry.engine.sync()
    ferry.engine.deliver("crm")
    assert len(ferry.crm.delivered) == 1 + 4
    ferry.clock.forward(3600)
    ferry.run()
    assert {ferry.state(one) for one in ids} == {DeliveryState.DELIVERED}


# ------------------------------------------------------------------------------- what is not ours


def test_an_event_of_an_unknown_client_is_kept_and_reported_and_nothing_is_fetched(ferry, closed):
    stranger = ferry.later(closed, "v2.conversation.closed", "e-strange", clientId=999)
    ferry.run()
    asked = ferry.world.counters["conversations asked for"]
    ferry.tell(stranger)
    ferry.run()
    assert ferry.ledger.status(ferry.clock.now).kept == [("client ha/999 is not configured", 1)]
    assert ferry.world.counters["conversations asked for"] == asked


def test_an_event_of_a_project_no_destination_wants_is_kept_and_reported(ferry):
    ferry.destination("crm", projects=(1,))
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    ((reason, count),) = ferry.ledger.status(ferry.clock.now).kept
    assert reason.startswith("no destination is interested in project ha/")
    assert count == 1
    assert ferry.world.counters["graphql requests"] == 0


def test_a_client_that_is_not_configured_any_more_is_named(ferry, closed):
    ferry.run()
    ferry.tell(ferry.later(closed, "satisfaction.answered", "e-csat", customerSatisfaction=1))
    (client,) = ferry.engine.clients.values()
    client.close()
    ferry.engine.clients.clear()
    ferry.run()
    assert problems(ferry) == ["its client is not configured any more"]


# ------------------------------------------------------------------------------------ decisions


def veto(answer):
    return SimpleNamespace(__name__="vetoing", veto_delivery=hookimpl(answer))


def test_a_veto_keeps_a_lead_out_and_the_reason_is_kept(ferry):
    def refuse(lead, destination):  # noqa: ARG001  (the hook's)
        return "not on Sundays" if destination == "crm" else None

    ferry.plugins.append(veto(refuse))
    ferry.destination("other")
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    assert ferry.state(closed) is DeliveryState.SKIPPED
    assert ferry.delivery(closed).reason == "vetoed by vetoing: not on Sundays"
    assert ferry.state(closed, "other") is DeliveryState.DELIVERED


def test_a_veto_that_raises_is_no_consent_and_delays_no_other_destination(ferry):
    broken = [True]

    def waver(lead, destination):  # noqa: ARG001  (the hook's)
        if destination == "crm" and broken:
            raise ZeroDivisionError

    ferry.plugins.append(veto(waver))
    ferry.destination("other")
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    assert not ferry.crm.calls
    assert ferry.state(closed, "other") is DeliveryState.DELIVERED
    broken.clear()
    ferry.clock.forward(3600)
    ferry.run()
    assert ferry.state(closed) is DeliveryState.DELIVERED
    assert len(ferry.crms["other"].calls) == 1


def test_a_veto_that_raises_for_days_is_not_what_a_conversation_is_given_up_for(ferry):
    ferry.options["retry"] = RetrySettings(give_up_after=8 * 3600)
    broken = [True]

    def waver(lead, destination):  # noqa: ARG001  (the hook's)
        if broken:
            raise ZeroDivisionError

    ferry.plugins.append(veto(waver))
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    for _ in range(48):
        ferry.run()
        ferry.clock.forward(3600)
    broken.clear()
    ferry.world.faults.switch_on("late-data:x1")
    for _ in range(2):
        ferry.run()
        ferry.clock.forward(3600)
    assert ferry.state(closed) is DeliveryState.DELIVERED


def test_a_mapping_that_fails_on_a_lead_is_dead_with_the_expression(ferry):
    ferry.destination("crm", mapping={"contact": {"n": FieldSettings(expression="visitor.email / 2")}})
    ferry.destination("other")
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    dead = ferry.delivery(closed)
    assert dead.state is DeliveryState.DEAD
    assert 'destination "crm", contact.n' in dead.reason
    assert ferry.truth(closed).email not in dead.reason
    assert ferry.state(closed, "other") is DeliveryState.DELIVERED


def test_a_strategy_that_fails_costs_its_own_answers_only(ferry):
    names = ("failing", "markers", "profile", "transcript")
    ferry.destination("crm", strategies=tuple(StrategySettings(name=name) for name in names))
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    assert ferry.row(closed)["email"] == ferry.truth(closed).email
    assert ferry.row(closed)["transcript"]


def test_a_lead_without_an_email_is_parked_where_that_is_asked_for(ferry):
    ferry.destination("crm", without_email="park")
    while True:
        (one,) = ferry.world.play(1, late=False)
        if ferry.truth(one).email is None and ferry.truth(one).messages:
            break
    ferry.tell_closed(one)
    ferry.run()
    assert ferry.state(one) is DeliveryState.PARKED
    assert "no e-mail" in ferry.delivery(one).reason
    assert not ferry.crm.calls


# ------------------------------------------------------------------------------------ live mode


@pytest.fixture
def running(ferry):
    """A conversation that began just now and goes on for long, as its webhook says."""
    ferry.destination("crm", live=True)
    ferry.destination("finished")
    ferry.options["live"] = LiveSettings(interval=30, idle_interval=600)
    (one,) = ferry.play(live=True, pace=0.001)
    return one


def test_a_running_conversation_is_polled_and_delivered_only_where_that_is_asked_for(ferry, running):
    pushed = ferry.webhook(running, "v2.conversation.pushed")
    ferry.tell(pushed)
    ferry.run()
    assert ferry.world.counters["graphql requests"] == 0
    for _ in range(3):
        ferry.clock.forward(30)
        ferry.run()
    assert ferry.state(running) is DeliveryState.DELIVERED
    assert "closed_at" not in ferry.row(running)
    assert ferry.state(running, "finished") is DeliveryState.SKIPPED
    assert not ferry.crms["finished"].calls
    assert due(ferry) == 0


def test_a_running_conversation_is_no_longer_polled_after_its_greatest_age(ferry, running):
    ferry.options["live"] = LiveSettings(interval=30, max_age=100)
    ferry.tell(ferry.webhook(running, "v2.conversation.pushed"))
    for _ in range(10):
        ferry.clock.forward(30)
        ferry.run()
    asked = ferry.world.counters["conversations asked for"]
    ferry.clock.forward(86_400)
    ferry.run()
    assert ferry.world.counters["conversations asked for"] == asked


# --------------------------------------------------------------------------------- leases, requests


class Meddling:
    """Stands between the engine and iAdvize: something happens while it answers."""

    batch_size = 50
    is_resting = False

    def __init__(self, client, meanwhile):
        self.client = client
        self.meanwhile = meanwhile

    def begin_probe(self):
        pass

    def read(self, ids):
        found = self.client.fetch(ids)
        self.meanwhile()
        yield found

    def close(self):
        self.client.close()


def meddle(ferry, meanwhile):
    ((key, client),) = ferry.engine.clients.items()
    ferry.engine.clients[key] = Meddling(client, meanwhile)


def test_an_event_that_comes_while_a_conversation_is_read_is_not_lost(ferry, closed):
    late = ferry.later(closed, "satisfaction.answered", "e-csat", customerSatisfaction=2)
    meddle(ferry, lambda: ferry.tell(late))
    ferry.engine.sync()
    assert due(ferry) == 1
    ferry.run()
    assert ferry.row(closed)["csat"] == 2


def test_a_reading_that_took_longer_than_its_lease_changes_nothing(ferry, closed, ledger_url):
    other = Ledger.open(ledger_url)
    try:
        second = ferry.another(other)

        def overtake():
            ferry.clock.forward(ferry.settings.runner.lease + 1)
            ferry.tell(ferry.later(closed, "satisfaction.answered", "e-csat", customerSatisfaction=3))
            assert second.sync() == 1

        meddle(ferry, overtake)
        ferry.engine.sync()
        ferry.run(second)
        assert ferry.row(closed)["csat"] == 3
        assert len(ferry.crm.calls) == 1
    finally:
        other.close()


@pytest.mark.usefixtures("closed")
def test_two_engines_never_read_one_conversation_at_once(ferry, ledger_url):
    other = Ledger.open(ledger_url)
    try:
        second = ferry.another(other)
        read_meanwhile = []
        meddle(ferry, lambda: read_meanwhile.append(second.sync()))
        ferry.engine.sync()
        assert read_meanwhile == [0]
    finally:
        other.close()


# ------------------------------------------------------------------------------------ late beginnings


@pytest.mark.parametrize("live", [True, False])
def test_a_webhook_of_the_beginning_after_the_close_does_not_make_it_running(ferry, live):
    ferry.destination("crm", live=live)
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    assert ferry.state(closed) is DeliveryState.DELIVERED
    ferry.tell(ferry.webhook(closed, "v2.conversation.pushed"))
    ferry.clock.forward(1)
    reading = ferry.ledger.status(ferry.clock.now).reading
    assert (reading.due, reading.later) == (1, 0)
    ferry.run()
    reading = ferry.ledger.status(ferry.clock.now).reading
    assert (reading.due, reading.later) == (0, 0)
    assert len(ferry.crm.calls) == 1


@pytest.mark.parametrize("first", ["v2.conversation.closed", "v2.conversation.pushed"])
def test_the_webhooks_of_beginning_and_close_may_come_in_either_order_before_the_reading(ferry, first):
    (closed,) = ferry.play()
    kinds = sorted(["v2.conversation.closed", "v2.conversation.pushed"], key=lambda kind: kind != first)
    for kind in kinds:
        ferry.tell(ferry.webhook(closed, kind))
    ferry.run()
    assert ferry.state(closed) is DeliveryState.DELIVERED
    assert ferry.ledger.status(ferry.clock.now).reading.later == 0


def test_a_later_rating_is_not_lost_to_the_older_one_that_iadvize_still_shows(ferry, closed):
    ferry.run()
    ((key, client),) = ferry.engine.clients.items()
    ferry.engine.clients[key] = Rated(client, csat=2)
    ferry.tell(ferry.later(closed, "visitor.updated", "e-1"))
    ferry.run()
    assert ferry.row(closed)["csat"] == 2
    for event_id, score in (("e-2", 5), ("e-3", None)):
        facts = {"customerSatisfaction": score} if score else {}
        at = time.time() + 60  # by iAdvize's clock, which goes on as ours does
        ferry.clock.forward(120)
        ferry.tell(replace(ferry.later(closed, "satisfaction.answered", event_id, **facts), at=at))
        ferry.run()
        assert ferry.row(closed)["csat"] == 5
    ferry.clock.forward(600)
    ferry.engine.clients[key] = Rated(client, csat=3)  # whose webhook was lost
    ferry.tell(ferry.later(closed, "visitor.updated", "e-4"))
    ferry.run()
    assert ferry.row(closed)["csat"] == 3


class Rated:
    """Stands between the engine and iAdvize, which shows a rating of its own."""

    def __init__(self, client, csat):
        self.client, self.csat = client, csat

    def read(self, ids):
        for some in self.client.read(ids):
            yield {
                one: replace(found, satisfaction=Satisfaction(csat=self.csat)) for one, found in some.items()
            }

    def __getattr__(self, name):
        return getattr(self.client, name)


# ------------------------------------------------------------------------------------ Retry-After


def test_the_time_that_iadvize_asks_for_is_in_the_next_due_time(ferry, closed):
    ferry.options["retry"] = RetrySettings(first=1.0, longest=2.0)
    ferry.world.faults.switch_on("rate-limited=600:x1")
    ferry.run(ferry.another(ferry.ledger))
    asked = dict(ferry.world.counters)
    other = ferry.another(ferry.ledger)  # a process that did not hear it itself
    ferry.clock.forward(590)
    ferry.run(other)
    assert dict(ferry.world.counters) == asked
    ferry.clock.forward(20)
    ferry.run(other)
    assert ferry.state(closed) is DeliveryState.DELIVERED
