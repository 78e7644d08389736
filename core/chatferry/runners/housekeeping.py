"""What a runner does now and then: keep its leases, tell of hooks that failed, forget what is old."""

from __future__ import annotations

from chatferry.engine import Engine
from chatferry.errors import LedgerUnavailable
from chatferry.ledger.hook_failures import KEPT
from chatferry.logs import get_logger

_DAY = 86_400.0
_BETWEEN_PRUNINGS = 3600.0


class Housekeeping:
    """One turn every ``pause`` seconds, which is often enough to keep the leases."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.pause = engine.settings.runner.lease / 4
        self._pruned_at = 0.0

    def turn(self) -> int:
        """Do what is due; return 0, for there is never more at once."""
        now = self._engine.clock()
        self._engine.ledger.extend(now + self._engine.settings.runner.lease)
        self.tell_failures()
        if now - self._pruned_at >= _BETWEEN_PRUNINGS:
            self._pruned_at = now
            self._prune(now)
        return 0

    def tell_failures(self) -> None:
        """Write down what plugins' hooks did wrong since the last time, for those who ask elsewhere."""
        failures = self._engine.plugins.failures
        if taken := failures.take():
            try:
                self._engine.ledger.hook_failures.add(taken, self._engine.clock())
            except LedgerUnavailable:
                failures.put_back(taken)
                raise

    def _prune(self, now: float) -> None:
        self._engine.ledger.hook_failures.prune(now - KEPT)
        retention = self._engine.settings.retention
        events = leads = 0
        if retention.events_days:
            events = self._engine.ledger.events.prune(now - retention.events_days * _DAY)
        if retention.leads_days:
            leads = self._engine.ledger.deliveries.prune(now - retention.leads_days * _DAY)
        if events or leads:
            get_logger("chatferry.runner").info("pruned", events=events, leads=leads)
