"""A process ends after each single statement that writes, once: another goes on, and nothing is missing."""

from __future__ import annotations

import gc
import shutil
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from chatferry.iadvize.facts import retained_facts
from chatferry.ledger import Ledger
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.sync_requests import SyncRequest

WRITES = ("INSERT", "UPDATE", "DELETE")


class Killed(BaseException):
    """As a process that ends in the middle of a step: nothing catches it."""


class Life:
    """Processes of one installation, one after the other; one of them is killed."""

    def __init__(self, ferry, url, at):
        self.ferry, self.url, self.at = ferry, url, at
        self.written = 0
        self.killed_at = None
        self.begin()

    def begin(self):
        """Start a process after the leases of the one before have run out."""
        self.ferry.clock.forward(self.ferry.settings.runner.lease + 1)
        ledger = Ledger.open(self.url)
        self.engine = self.ferry.another(ledger)
        for key, client in list(self.engine.clients.items()):
            client.close()
            self.engine.clients[key] = self.ferry.engine.clients[key]  # it has logged in
        process = object()

        def refuse(*_):
            if self.killed_at is not None and self.dead is process:
                raise Killed  # whatever it still tries, such as to give leases back

        def count(_connection, _cursor, statement, *_):
            if self.killed_at is None and statement.startswith(WRITES):
                self.written += 1
                if self.written == self.at:
                    self.killed_at, self.dead = statement, process
                    raise Killed

        event.listen(ledger.database.engine, "before_cursor_execute", refuse)
        event.listen(ledger.database.engine, "after_cursor_execute", count)

    def do(self, step, *arguments):
        """Do a step, and do it again where the process was killed in it."""
        try:
            return step(self.engine, *arguments)
        except Killed:
            pass  # what the traceback holds goes with it
        gc.collect()  # a connection that a cycle holds would lock the file, as no process that has ended does
        self.begin()
        return step(self.engine, *arguments)


@pytest.fixture
def live(ferry, prepared_sqlite, tmp_path):
    """Return ``live(at)``: a context with a new ledger, whose process is killed at that statement."""

    @contextmanager
    def make(at):
        path = tmp_path / f"{at}.db"
        shutil.copy(prepared_sqlite, path)
        ferry.crm.rows.clear()
        made = Life(ferry, f"sqlite:///{path}", at)
        yield made
        for engine in ferry.engines[1:]:
            engine.ledger.close()
        del ferry.engines[1:]

    return make


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_whatever_statement_is_the_last_of_a_process_another_ends_what_it_began(ferry, live):
    told = ferry.play(2)
    ferry.play(1)  # its webhook, and those of others that were played, are lost
    clicks = [ferry.later(one, "satisfaction.answered", f"e-{one}", customerSatisfaction=4) for one in told]
    at, killed = 1, []
    while True:
        with live(at) as life:
            for one in told:
                life.do(ferry.tell_to, ferry.webhook(one))
            life.do(ferry.run)
            life.do(lambda engine: [ferry.tell_to(engine, one) for one in clicks])
            life.do(lambda engine: engine.reconciler.reconcile(0.0, ferry.clock.now + 1e6))
            life.do(ferry.run)
            life.do(lambda engine: engine.ledger.events.prune(ferry.clock.now + 1e6, retained_facts))
            life.do(lambda engine: engine.ledger.conversations.request_sync([again(ferry, told[0])]))
            life.do(ferry.run)
            check(ferry, life, told)
            if life.killed_at is None:
                break
            killed.append(life.killed_at.split(" SET ")[0].split(" (")[0])
        at += 1
    assert at > 20, at
    assert {"INSERT INTO events", "INSERT INTO conversations", "UPDATE conversations"} <= set(killed)
    assert {"INSERT INTO deliveries", "UPDATE deliveries", "UPDATE reconciliations"} <= set(killed)
    assert "DELETE FROM events" in " ".join(killed)


def check(ferry, life, told):
    ledger = life.engine.ledger
    status = ledger.status(ferry.clock.now)
    (destination,) = status.destinations
    where = f"killed at {life.killed_at}"
    assert destination.deliveries[DeliveryState.DELIVERED] == len(ferry.world.ids), where
    assert (status.reading.waiting, status.reading.later, status.problems) == (0, 0, []), where
    assert set(ferry.crm.rows) == {ferry.key(one) for one in ferry.world.ids}, where
    assert [ferry.row(one)["csat"] for one in told] == [4, 4], where
    assert status.events == 0, where


def again(ferry, conversation_id):
    client = ferry.world.clients[0]
    return SyncRequest(
        platform=client.platform,
        client_id=client.client_id,
        conversation_id=conversation_id,
        seen_at=ferry.clock.now,
        due_at=ferry.clock.now,
    )
