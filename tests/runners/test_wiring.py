"""Each loop that a runner starts does its work; what a runner does not start is seen to be left undone."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from chatferry import hookimpl
from chatferry.ledger.tables import destinations
from chatferry.runners.local import LocalRunner
from chatferry.settings.model import RetentionSettings, RunnerSettings

DAY = 86_400.0


@pytest.fixture
def until():
    def wait(happens):
        deadline = time.monotonic() + 60
        while not happens():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return wait


def leased_until(ferry):
    with ferry.ledger.database.read() as connection:
        return connection.execute(destinations.select()).mappings().one()["leased_until"] or 0.0


def test_the_lease_of_a_batch_that_takes_long_is_kept(ferry, gate, until):
    ferry.options["runner"] = RunnerSettings(lease=0.4, idle=0.01)
    begun = threading.Event()

    def hang(leads):
        begun.set()
        gate.wait(60)
        return ferry.crm.take(leads)

    ferry.crm.next(hang)
    ferry.tell_closed(*ferry.play())
    with LocalRunner(ferry.engine, reconciling=False):
        assert begun.wait(60)
        for _ in range(3):
            ferry.clock.forward(3600)
            until(lambda: leased_until(ferry) > ferry.clock.now)
        gate.set()
    assert len(ferry.crm.calls) == 1


def test_what_is_past_its_retention_is_pruned(ferry, until):
    ferry.options["retention"] = RetentionSettings(events_days=30)
    ferry.tell_closed(*ferry.play())
    ferry.run()
    ferry.clock.forward(31 * DAY)
    with LocalRunner(ferry.engine, reconciling=False):
        until(lambda: ferry.ledger.status(ferry.clock.now).events == 0)


def test_what_hooks_did_wrong_is_written_down(ferry, until):
    def fail(conversation):
        raise KeyError(conversation.id)

    ferry.plugins.append(SimpleNamespace(__name__="bad", conversation_synced=hookimpl(fail)))
    ferry.tell_closed(*ferry.play())
    with LocalRunner(ferry.engine, reconciling=False):
        until(lambda: ferry.crm.delivered)
        until(lambda: ferry.engine.plugins.failures.take() or ferry.ledger.hook_failures.since(0.0))


@pytest.mark.parametrize("reconciling", [True, False])
def test_a_conversation_whose_webhook_was_lost_is_found_where_that_is_wanted(ferry, until, reconciling):
    (lost,) = ferry.play()
    (other,) = ferry.play()
    ferry.tell_closed(other)
    ferry.clock.forward(3600)  # what closed just now is not compared yet
    with LocalRunner(ferry.engine, reconciling=reconciling):
        until(lambda: ferry.key(other) in ferry.crm.delivered)
        if reconciling:
            until(lambda: ferry.key(lost) in ferry.crm.delivered)
    assert (ferry.key(lost) in ferry.crm.delivered) == reconciling


def test_every_destination_and_every_task_has_a_loop_of_its_own(ferry):
    ferry.destination("archive")
    before = set(threading.enumerate())
    with LocalRunner(ferry.engine):
        names = {thread.name for thread in set(threading.enumerate()) - before}
    loops = {"heartbeat", "hook-failures", "pruning", "reconciliation", "deliver-crm", "deliver-archive"}
    assert loops < names
