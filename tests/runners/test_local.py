"""The runner's loops go on, whatever happens in them; and where one cannot, somebody is told."""

from __future__ import annotations

import io
import os
import sys
import threading

import pytest
import structlog

from chatferry.errors import LedgerUnavailable
from chatferry.runners.local import LocalRunner
from chatferry.runners.process import NICENESS
from chatferry.settings.model import RunnerSettings


class Failing:
    """Stands between the engine and iAdvize: the first question ends badly."""

    batch_size = 50

    def __init__(self, client, error):
        self.client = client
        self.errors = [error]

    is_resting = False

    def begin_probe(self):
        pass

    def read(self, ids):
        if self.errors:
            raise self.errors.pop()
        return self.client.read(ids)

    def close(self):
        self.client.close()


@pytest.fixture
def arrived(ferry):
    """Set when the CRM got something."""
    event = threading.Event()

    def take(leads):
        event.set()
        return ferry.crm.take(leads)

    ferry.crm.next(take)
    return event


@pytest.fixture
def closed_log():
    """A log nothing can be written to."""
    stream = io.StringIO()
    stream.close()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream), cache_logger_on_first_use=False)
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("closed_log")
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, LedgerUnavailable("the disk is full")])
def test_a_loop_goes_on_after_anything_even_if_that_cannot_be_logged(ferry, arrived, error):
    ferry.options["runner"] = RunnerSettings(idle=0.01, sync_threads=1)
    ferry.tell_closed(*ferry.play())
    ((key, client),) = ferry.engine.clients.items()
    ferry.engine.clients[key] = Failing(client, error)
    with LocalRunner(ferry.engine, reconciling=False) as runner:
        assert arrived.wait(30)
        assert runner.failed == []


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_readings_run_beside_each_other_as_the_settings_say(ferry, threads):
    ferry.options["runner"] = RunnerSettings(sync_threads=threads)
    with LocalRunner(ferry.engine, reconciling=False):
        names = {thread.name for thread in threading.enumerate()}
    assert {name for name in names if name.startswith("sync-")} == {f"sync-{n}" for n in range(threads)}


def test_a_loop_that_ends_all_the_same_is_told_of(ferry):
    ferry.options["runner"] = RunnerSettings(idle=float("inf"))  # nobody can wait so long
    told = threading.Event()
    with LocalRunner(ferry.engine, reconciling=False, on_failure=told.set) as runner:
        assert told.wait(30)
        assert runner.failed


def test_a_loop_that_was_stopped_has_not_failed(ferry):
    told = threading.Event()
    with LocalRunner(ferry.engine, reconciling=False, on_failure=told.set) as runner:
        pass
    assert (runner.failed, told.is_set()) == ([], False)


def test_what_follows_from_webhooks_leaves_the_processor_to_those_who_accept_them(ferry):
    found, arrived = [], threading.Event()

    def take(leads):
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        arrived.set()
        return ferry.crm.take(leads)

    ferry.crm.next(take)
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    ferry.tell_closed(*ferry.play())
    with LocalRunner(ferry.engine, reconciling=False):
        assert arrived.wait(30)
    # Elsewhere a priority belongs to the process.
    assert found == [ours + NICENESS if sys.platform == "linux" else ours]
