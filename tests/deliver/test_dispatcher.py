from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatferry import (
    AuthFailure,
    Connector,
    DeliveryError,
    Finding,
    Lead,
    Level,
    Outcome,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    Receipt,
    TemporaryFailure,
)
from chatferry.deliver.dispatcher import Dispatcher
from chatferry.deliver.guarded_connector import ConnectorHung, GuardedConnector
from chatferry.deliver.returned import sound_outcomes
from chatferry.testing import make_context, make_lead

Behaviour = Callable[[Sequence[Lead]], Sequence[Outcome]]


@pytest.fixture
def gate():
    """Something to hang at; open at the end, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()


def leads(count: int) -> list[Lead]:
    return [replace(make_lead(), key=f"lead-{number}") for number in range(count)]


class Puppet(Connector):
    name = "puppet"
    batch_size = 100
    timeout = 5.0

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__({}, make_context(Path()))
        self.behaviour = behaviour
        self.calls: list[int] = []
        self.findings: list[Finding] = []
        self.closed = False

    def deliver(self, leads):
        self.calls.append(len(leads))
        return self.behaviour(leads)

    def check(self):
        return self.findings

    def close(self):
        self.closed = True


def dispatcher_to(connect: Callable[[], Connector], **options) -> Dispatcher:
    return Dispatcher("crm", GuardedConnector("crm", connect, **options))


def take_all(batch):
    return [Receipt(ids={"contact": lead.key}) for lead in batch]


def test_a_batch_gets_its_outcomes_in_order():
    handed = dispatcher_to(lambda: Puppet(take_all)).deliver(leads(3))
    assert [outcome.ids["contact"] for outcome in handed.outcomes] == ["lead-0", "lead-1", "lead-2"]
    assert handed.failure is None


def fail_on(culprit: str, error: Callable[[], Exception]) -> Behaviour:
    def behave(batch):
        if any(lead.key == culprit for lead in batch):
            raise error()
        return take_all(batch)

    return behave


class OfItsOwn(DeliveryError):
    """A kind of failure that only its connector knows."""


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError,
        lambda: PermanentFailure("no such field"),
        lambda: DeliveryError("the proxy said no"),
        lambda: OfItsOwn("the proxy said no"),
    ],
)
def test_one_poisoned_lead_in_a_hundred_is_found_in_at_most_fourteen_extra_calls(error):
    puppet = Puppet(fail_on("lead-41", error))
    handed = dispatcher_to(lambda: puppet).deliver(leads(100))
    failed = [number for number, one in enumerate(handed.outcomes) if not isinstance(one, Receipt)]
    assert failed == [41]
    assert len(puppet.calls) - 1 <= 14


def test_four_poisoned_leads_far_apart_among_fifty_are_found():
    culprits = {"lead-0", "lead-16", "lead-33", "lead-49"}

    def behave(batch):
        if any(lead.key in culprits for lead in batch):
            raise PermanentFailure("no such field")
        return take_all(batch)

    puppet = Puppet(behave)
    handed = dispatcher_to(lambda: puppet).deliver(leads(50))
    failed = [number for number, one in enumerate(handed.outcomes) if not isinstance(one, Receipt)]
    assert failed == [0, 16, 33, 49]
    assert handed.failure is None
    assert len(puppet.calls) <= 4 * 14


def test_an_unknown_error_is_temporary_and_says_nothing_of_the_lead():
    def behave(batch):
        raise RuntimeError(f"cannot write {batch[0].email}")

    (outcome,) = dispatcher_to(lambda: Puppet(behave)).deliver(leads(1)).outcomes
    assert isinstance(outcome, TemporaryFailure)
    assert str(outcome) == "the connector failed with RuntimeError"


def test_an_unknown_kind_of_error_is_the_leads_own_and_keeps_its_message():
    own = OfItsOwn("the proxy said no", code="502")
    handed = dispatcher_to(lambda: Puppet(fail_on("lead-0", lambda: own))).deliver(leads(1))
    assert (list(handed.outcomes), handed.failure) == ([own], None)


@pytest.mark.parametrize("hold", [QuotaExhausted("full"), AuthFailure("no"), TemporaryFailure("away")])
def test_what_is_the_destinations_is_not_split(hold):
    def behave(_):
        raise hold

    puppet = Puppet(behave)
    handed = dispatcher_to(lambda: puppet).deliver(leads(50))
    assert handed.failure is hold
    assert list(handed.outcomes) == [hold] * 50
    assert puppet.calls == [50]


def test_a_quota_that_runs_out_during_a_split_stops_the_rest():
    def behave(batch):
        if len(batch) > 2:
            raise ZeroDivisionError
        raise QuotaExhausted("full")

    puppet = Puppet(behave)
    handed = dispatcher_to(lambda: puppet).deliver(leads(8))
    assert puppet.calls == [8, 4, 2]
    assert all(isinstance(outcome, QuotaExhausted) for outcome in handed.outcomes)


def test_a_split_whose_second_half_is_held_keeps_what_the_first_delivered():
    held = RateLimited("slower", retry_after=30)

    def behave(batch):
        if len(batch) == 8:
            raise PermanentFailure("one of them")
        if batch[0].key == "lead-4":
            raise held
        return take_all(batch)

    puppet = Puppet(behave)
    handed = dispatcher_to(lambda: puppet).deliver(leads(8))
    assert puppet.calls == [8, 4, 4]
    assert handed.failure is held
    assert [one if one is held else type(one) for one in handed.outcomes] == [Receipt] * 4 + [held] * 4


SOON, LATER = (datetime(2030, 1, 1, hour, tzinfo=UTC) for hour in (9, 17))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (RateLimited("slower", retry_after=10), RateLimited("slower", retry_after=100)),
        (TemporaryFailure("away"), RateLimited("slower", retry_after=100)),
        (QuotaExhausted("spent", until=SOON), QuotaExhausted("spent", until=LATER)),
        (QuotaExhausted("spent", until=SOON), QuotaExhausted("spent", until=LATER.replace(tzinfo=None))),
        (QuotaExhausted("spent"), QuotaExhausted("spent", until=SOON)),
        (QuotaExhausted("spent", until=LATER), AuthFailure("no")),
    ],
    ids=lambda one: f"{type(one).__name__}",
)
def test_of_two_holds_the_longer_one_counts_whichever_comes_first(one, other):
    for returned in ([one, other], [other, one]):
        handed = dispatcher_to(lambda returned=returned: Puppet(lambda _: returned)).deliver(leads(2))
        assert handed.failure is other
        assert list(handed.outcomes) == returned


ODD = [
    Receipt(ids={"contact": object()}),
    Receipt(ids={"contact": None}),
    Receipt(ids=["contact"]),
    Receipt(url=42),
    Receipt(notes=("cut", object())),
]


@pytest.mark.parametrize(
    "nonsense",
    [None, [], "ok", [Receipt()] * 5, ["fine", "fine"], 42, *([one, Receipt()] for one in ODD)],
)
def test_nonsense_is_no_outcome(nonsense):
    handed = dispatcher_to(lambda: Puppet(lambda _: nonsense)).deliver(leads(2))
    assert [type(outcome) for outcome in handed.outcomes] == [TemporaryFailure] * 2


def test_a_receipt_is_made_storable():
    said = Receipt(ids={"contact": 12, "de\0al": "\ud83d1"}, url="a\0", notes=["cut \ud83d"])
    handed = dispatcher_to(lambda: Puppet(lambda _: [said])).deliver(leads(1))
    assert list(handed.outcomes) == [
        Receipt(ids={"contact": "12", "deal": "\ufffd1"}, url="a", notes=("cut \ufffd",))
    ]


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_connector_that_wants_to_end_the_process_fails_like_any_other(end):
    def behave(_):
        raise end

    (outcome,) = dispatcher_to(lambda: Puppet(behave)).deliver(leads(1)).outcomes
    assert str(outcome) == f"the connector failed with {end.__name__}"


def test_a_connector_that_cannot_be_made_fails_like_any_other():
    def connect():
        raise OSError("no")

    (outcome,) = dispatcher_to(connect).deliver(leads(1)).outcomes
    assert isinstance(outcome, TemporaryFailure)


def test_a_call_that_hangs_is_left_behind_and_a_new_connector_made_once_it_ends():
    release = threading.Event()
    puppets: list[Puppet] = []

    def hang(_):
        release.wait(10)
        return []

    def connect():
        puppet = Puppet(hang if not puppets else take_all)
        puppet.timeout = 0.05 if not puppets else 5.0
        puppets.append(puppet)
        return puppet

    dispatcher = dispatcher_to(connect, clock=lambda: 0.0)  # none is abandoned, however slow the machine
    first = dispatcher.deliver(leads(2))
    assert isinstance(first.failure, ConnectorHung)
    second = dispatcher.deliver(leads(2))
    assert isinstance(second.failure, ConnectorHung)
    assert puppets[0].calls == [2]
    release.set()
    wait_for(dispatcher)
    third = dispatcher.deliver(leads(2))
    assert third.failure is None
    assert puppets[0].closed
    assert len(puppets) == 2


def wait_for(dispatcher):
    """Wait until the call that hung has returned."""
    (late,) = dispatcher._late
    late.call.exception(60)


class Hanging(Puppet):
    """Hangs in each call until it is released; its time-out is over at once."""

    timeout = 0.01

    def __init__(self, release: threading.Event) -> None:
        super().__init__(lambda _: release.wait(30) and [])


def test_a_call_that_never_comes_back_is_abandoned_and_another_connector_made(gate):
    seconds = [0.0]
    puppets: list[Puppet] = [Puppet(take_all), Hanging(gate)]
    dispatcher = dispatcher_to(puppets.pop, clock=lambda: seconds[0])
    assert isinstance(dispatcher.deliver(leads(2)).failure, ConnectorHung)
    seconds[0] = 0.03
    assert str(dispatcher.deliver(leads(2)).failure) == "an earlier call has not returned yet"
    seconds[0] = 0.04
    assert dispatcher.deliver(leads(2)).failure is None


def test_the_leads_of_a_call_that_hung_are_reported_once_it_has_ended(gate):
    dispatcher = dispatcher_to(lambda: Hanging(gate), clock=lambda: 0.0)
    dispatcher.deliver(leads(2))
    dispatcher.deliver(leads(1))  # nothing is called while the other is waited for
    assert list(dispatcher.late_completions()) == []
    gate.set()
    wait_for(dispatcher)
    ended = dispatcher.late_completions()
    assert next(ended).key == "lead-0"  # the caller may break off
    ended.close()
    assert [lead.key for lead in dispatcher.late_completions()] == ["lead-0", "lead-1"]
    assert list(dispatcher.late_completions()) == []


def test_a_connector_that_always_hangs_does_not_pile_up_calls_for_ever(gate):
    made: list[Puppet] = []
    seconds = [0.0]

    def connect():
        made.append(Hanging(gate))
        return made[-1]

    dispatcher = dispatcher_to(connect, clock=lambda: seconds[0])
    for _ in range(20):
        hold = dispatcher.deliver(leads(1)).failure
        seconds[0] += 1
    assert len(made) == 5
    assert "restart chatferry" in str(hold)


def test_making_and_closing_a_connector_have_a_limit_too(gate):
    class Slow(Puppet):
        def close(self):
            gate.wait(30)

    stuck = dispatcher_to(lambda: gate.wait(30), making=0.01)
    assert isinstance(stuck.deliver(leads(1)).failure, ConnectorHung)
    dispatcher = dispatcher_to(lambda: Slow(take_all), closing=0.01)
    assert dispatcher.deliver(leads(1)).failure is None
    dispatcher.close()


def test_a_probe_returns_the_first_error_check_finds():
    puppet = Puppet(take_all)
    dispatcher = dispatcher_to(lambda: puppet)
    assert dispatcher.probe() is None
    puppet.findings = [
        Finding(level=Level.WARNING, subject="plan", message="notes only"),
        Finding(level=Level.ERROR, subject="token", message="the token is refused"),
    ]
    assert dispatcher.probe() == "the token is refused"


def test_a_probe_of_a_connector_that_fails_is_a_problem_not_a_crash():
    class Broken(Puppet):
        def check(self):
            raise ValueError("secret")

    assert dispatcher_to(lambda: Broken(take_all)).probe() == "check failed with ValueError"


def test_what_the_engine_left_out_of_a_lead_stands_before_the_connectors_notes():
    leads = [replace(make_lead(1), notes=("an address was left out",)), make_lead(2)]
    first, second = sound_outcomes("crm", [Receipt(notes=("cut",))] * 2, leads)
    assert first.notes == ("an address was left out", "cut")
    assert second.notes == ("cut",)
