"""An iAdvize that is away gets one probe now and then, and is asked for everything once it is back."""

from __future__ import annotations

import pytest

OUTAGES = ["server-error", "server-error-html", "reset", "html", "garbage", "truncated"]


@pytest.fixture
def many(ferry):
    found = ferry.play(60)
    ferry.tell_closed(*found)
    return found


def calls(ferry) -> int:
    return ferry.world.counters["graphql requests"]


def pass_time(ferry, seconds: float) -> None:
    """Let time pass in steps of half a second, and do at each what is due."""
    for _ in range(round(seconds * 2)):
        ferry.clock.forward(0.5)
        ferry.run()


@pytest.mark.parametrize("fault", OUTAGES)
def test_an_outage_costs_a_probe_every_few_seconds_whatever_is_due(ferry, many, fault):
    ferry.world.faults.switch_on(fault)
    before = calls(ferry)
    ferry.run()
    pass_time(ferry, 200)
    assert 15 < calls(ferry) - before < 60
    assert not ferry.crm.calls
    ferry.world.faults.switch_off()
    pass_time(ferry, 15)
    assert sorted(ferry.crm.delivered) == sorted(map(ferry.key, many))


def test_the_outage_is_nobodys_attempt_and_says_why(ferry, many):
    ferry.world.faults.switch_on("server-error")
    for _ in range(5):
        ferry.run()
        ferry.clock.forward(20)
    status = ferry.ledger.status(ferry.clock.now)
    assert [problem for problem, _ in status.problems] == ["iAdvize answered HTTP 500"]
    assert status.reading.due == len(many)


def test_a_conversation_that_makes_iadvize_fail_is_not_an_outage(ferry):
    ferry.world.faults.switch_on("document-too-large=3")
    found = ferry.play(12)
    ferry.tell_closed(*found)
    ferry.run()
    assert sorted(ferry.crm.delivered) == sorted(map(ferry.key, found))


def test_a_client_that_is_away_takes_no_reading_from_the_others(ferry, many):
    """Its conversations stay due and unleased while it rests, so that threads are free."""
    ferry.world.faults.switch_on("server-error")
    ferry.run()
    assert ferry.engine.sync() == 0
    assert ferry.ledger.status(ferry.clock.now).reading.due == len(many)
