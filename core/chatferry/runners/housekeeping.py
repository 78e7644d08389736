"""What a runner does now and then: keep its leases, tell of hooks that failed, forget what is old."""

from __future__ import annotations

from chatferry.engine import Engine
from chatferry.errors import LedgerError
from chatferry.iadvize.facts import retained_facts
from chatferry.ledger.hook_failures import KEPT
from chatferry.logs import get_logger

_DAY = 86_400.0


class LeaseKeeping:
    """One turn every ``pause`` seconds, which is often enough to keep the leases.

    It has a loop to itself: whoever is late loses what it is at work on to others.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.pause = engine.settings.runner.lease / 4

    def turn(self) -> int:
        """Keep what this process is at work on; return 0, for there is never more at once."""
        self._engine.keep_leases()
        return 0


class FailureTelling:
    """One turn every ``pause`` seconds: what plugins' hooks did wrong, for those who ask elsewhere."""

    pause = 60.0

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def turn(self) -> int:
        """Write down what went wrong since the last time; return 0, for there is never more at once."""
        failures = self._engine.plugins.failures
        if taken := failures.take():
            try:
                self._engine.ledger.hook_failures.add(taken, self._engine.clock())
            except LedgerError:
                failures.put_back(taken)
                raise
        return 0


class Pruning:
    """One turn every ``pause`` seconds; it takes a while where there is much to forget."""

    pause = 3600.0

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def turn(self) -> int:
        """Forget what is old; return 0, for there is never more at once."""
        self._prune(self._engine.clock())
        return 0

    def _prune(self, now: float) -> None:
        self._engine.ledger.hook_failures.prune(now - KEPT)
        retention = self._engine.settings.retention
        events = leads = 0
        if retention.events_days:
            events = self._engine.ledger.events.prune(now - retention.events_days * _DAY, retained_facts)
        if retention.leads_days:
            leads = self._engine.ledger.deliveries.prune(now - retention.leads_days * _DAY)
        if events or leads:
            get_logger("chatferry.runner").info("pruned", events=events, leads=leads)
