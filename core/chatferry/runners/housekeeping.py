"""The periodic tasks of a runner: lease heartbeats, hook failures, pruning, reconciliation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from chatferry.engine import Engine
from chatferry.errors import LedgerError
from chatferry.iadvize.facts import retained_facts
from chatferry.ledger.hook_failures import KEPT
from chatferry.logs import get_logger
from chatferry.runners.reconciliation import ScheduledReconciliation

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicTask:
    """A task that is run in a thread of its own, with ``interval`` seconds between two runs."""

    name: str
    run: Callable[[], None]
    interval: float


def periodic_tasks(engine: Engine, *, reconciling: bool = False) -> Sequence[PeriodicTask]:
    """Return the tasks. A heartbeat comes four times a lease: a lease that expires is taken over."""
    heartbeat = engine.settings.runner.lease / 4
    tasks = [
        PeriodicTask(name="heartbeat", run=engine.keep_leases, interval=heartbeat),
        PeriodicTask(name="hook-failures", run=partial(record_hook_failures, engine), interval=60.0),
        PeriodicTask(name="pruning", run=partial(prune, engine), interval=3600.0),
    ]
    if reconciling:
        due = ScheduledReconciliation(engine).run_if_due
        tasks.append(PeriodicTask(name="reconciliation", run=due, interval=5.0))
    return tasks


def record_hook_failures(engine: Engine) -> None:
    """Write to the ledger which hooks of plugins failed since the last time, for other processes to show."""
    failures = engine.plugins.failures
    if taken := failures.take():
        try:
            engine.ledger.hook_failures.add(taken, engine.clock())
        except LedgerError:
            failures.put_back(taken)
            raise


def prune(engine: Engine) -> None:
    """Delete what is older than its retention."""
    now, retention = engine.clock(), engine.settings.retention
    engine.ledger.hook_failures.prune(now - KEPT)
    events = leads = 0
    if retention.events_days:
        events = engine.ledger.events.prune(now - retention.events_days * _DAY, retained_facts)
    if retention.leads_days:
        leads = engine.ledger.deliveries.prune(now - retention.leads_days * _DAY)
    if events or leads:
        get_logger("chatferry.runner").info("pruned", events=events, leads=leads)
