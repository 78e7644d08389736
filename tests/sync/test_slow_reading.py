"""Readings that last: each conversation is read once, however slow iAdvize is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from chatferry import Strategy, hookimpl
from chatferry.ledger import Ledger
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.runners.housekeeping import periodic_tasks
from chatferry.settings.model import StrategySettings


class Piecemeal:
    """Stands between the engine and iAdvize: gives conversations one by one, and time passes before each."""

    batch_size = 50
    is_resting = False

    def __init__(self, client, between):
        self.client = client
        self.between = between
        self.asked = []

    def begin_probe(self):
        pass

    def read(self, ids):
        self.asked += ids
        found = self.client.fetch(ids)
        for one, outcome in found.items():
            self.between(one)
            yield {one: outcome}

    def close(self):
        self.client.close()


def piecemeal(ferry, between):
    ((key, client),) = ferry.engine.clients.items()
    ferry.engine.clients[key] = between = Piecemeal(client, between)
    return between


@pytest.fixture
def other(ferry, ledger_url):
    """Another process of the same configuration."""
    ledger = Ledger.open(ledger_url)
    yield ferry.another(ledger)
    ledger.close()


def test_no_more_is_taken_than_is_asked_for_together(ferry):
    ferry.world.faults.switch_on("document-too-large=1")
    ferry.tell_closed(*ferry.play(8))
    assert ferry.engine.sync() == 8
    ferry.tell_closed(*ferry.play(3))
    assert [ferry.engine.sync() for _ in range(4)] == [1, 1, 1, 0]


def test_a_reading_that_lasts_longer_than_its_lease_is_kept_while_it_lives(ferry, other):
    ids = ferry.play(4)
    ferry.tell_closed(*ids)
    heartbeat = periodic_tasks(ferry.engine)[0]
    taken = []

    def pass_time(_):
        for _ in range(8):
            ferry.clock.forward(heartbeat.interval)
            heartbeat.run()
        taken.append(other.sync())

    slow = piecemeal(ferry, pass_time)
    ferry.run()
    assert taken == [0] * 4
    assert sorted(slow.asked) == sorted(ids)
    assert sorted(ferry.crm.delivered) == sorted(map(ferry.key, ids))


def test_what_is_read_does_not_wait_for_what_is_read_with_it(ferry):
    ids = ferry.play(3)
    ferry.tell_closed(*ids)
    arrived = []

    def look(_):
        ferry.engine.deliver("crm")
        arrived.append(len(ferry.crm.delivered))

    piecemeal(ferry, look)
    ferry.engine.sync()
    assert arrived == [0, 1, 2]


def test_a_reading_that_breaks_off_releases_the_leases_of_what_it_did_not_record(ferry, other):
    ids = ferry.play(3)
    ferry.tell_closed(*ids)
    seen = []

    def stop(one):
        seen.append(one)
        if len(seen) == 2:
            raise KeyboardInterrupt

    piecemeal(ferry, stop)
    with pytest.raises(KeyboardInterrupt):
        ferry.engine.sync()
    assert other.sync() == 2
    ferry.run(other)
    assert {ferry.state(one) for one in ids} == {DeliveryState.DELIVERED}


def test_a_strategy_that_hangs_costs_its_answers_in_that_lead_and_delays_no_other_lead(ferry, gate):
    ids = ferry.play(3)

    class Hangs(Strategy):
        name = "hangs"
        timeout = 0.01

        def extract(self, conversation, found):  # noqa: ARG002  (a strategy's signature)
            return gate.wait() and []

    plugin = SimpleNamespace(__name__="hangers", register_strategies=hookimpl(lambda: [Hangs]))
    ferry.plugins.append(plugin)
    names = ("hangs", "profile", "transcript")
    ferry.destination("crm", strategies=tuple(StrategySettings(name=name) for name in names))
    ferry.destination("other")
    ferry.tell_closed(*ids)
    ferry.run()
    for name in ("crm", "other"):
        assert {ferry.state(one, name) for one in ids} == {DeliveryState.DELIVERED}
    assert all(ferry.row(one)["transcript"] for one in ids)
