"""Reconciliation at the start and on a schedule; a lease makes sure that one process at a time does it."""

from __future__ import annotations

from typing import Final

from chatferry.engine import Engine
from chatferry.errors import PlatformError
from chatferry.logs import get_logger

_LOCK: Final = "reconciliation"
_AFTER_A_FAILURE: Final = 300.0


class ScheduledReconciliation:
    """Reconciles when it is due; :meth:`run_if_due` is to be called every few seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._log = get_logger("chatferry.reconcile")
        settings = engine.settings.reconcile
        self._started_at = engine.clock()
        self._due_at = 0.0 if settings.at_start else self._started_at + settings.every

    def run_if_due(self) -> None:
        """Reconcile, if it is due and no other process does."""
        now, ledger = self._engine.clock(), self._engine.ledger
        if now < self._due_at or not self._is_on:
            return
        until = now + self._engine.settings.runner.lease  # the heartbeat extends it
        if ledger.leases.take(_LOCK, ledger.owner, now, until):
            try:
                if not self._was_done(now):
                    self._reconcile(now)
            finally:
                ledger.leases.give_back(_LOCK, ledger.owner)

    @property
    def _is_on(self) -> bool:
        settings = self._engine.settings.reconcile
        return bool(self._engine.clients) and (settings.every > 0 or settings.at_start)

    def _was_done(self, now: float) -> bool:
        """Whether another process reconciled within the interval, and after this one started."""
        every = self._engine.settings.reconcile.every
        complete = self._engine.ledger.reconciliations.complete_until
        last = min(complete(*key) or 0.0 for key in self._engine.clients)
        if not max(self._started_at, now - every) < last <= now:
            return False
        self._due_at = last + every if every else float("inf")
        return True

    def _reconcile(self, now: float) -> None:
        every = self._engine.settings.reconcile.every
        try:
            progress = self._engine.reconciler.scheduled(now)
        except PlatformError as error:
            self._log.warning("not reconciled", reason=str(error))
            self._due_at = now + min(every or _AFTER_A_FAILURE, _AFTER_A_FAILURE)
            return
        self._due_at = now + every if every else float("inf")
        for one in progress:
            self._log.info(
                "reconciled", client=f"{one.platform}/{one.client_id}", found=one.found, missing=one.missing
            )
