"""The local runner: threads that drive sync and deliver, each in a loop of its own.

Each destination has a thread to itself, so that one that is slow or down delays no other (bulkhead).
Stopping finishes what runs; a process that is killed leaves leases behind, which expire within
``runner.lease``. A loop survives whatever its verb raises. Should one end all the same, ``on_failure``
is called, so that a process that no longer syncs does not look healthy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self

from chatferry.engine import Engine
from chatferry.errors import LedgerError
from chatferry.logs import frames, get_logger
from chatferry.runners.housekeeping import periodic_tasks, record_hook_failures
from chatferry.runners.process import lower_priority

_PROGRESS: Final = 60.0
_AFTER_A_FAILURE: Final = 1.0
"""Seconds a loop waits when its verb failed: the ledger may be out of reach."""


class LocalRunner:
    """Drive an engine with threads. Use it as a context manager, or ``start`` and ``stop`` it.

    :param reconciling: whether it also reconciles, at the start and on a schedule.
    :param on_failure: called, in the thread that ends, when a loop ends that should not.
    """

    def __init__(
        self, engine: Engine, *, reconciling: bool = True, on_failure: Callable[[], object] = lambda: None
    ) -> None:
        self._engine = engine
        self._reconciling = reconciling
        self._on_failure = on_failure
        self._failed: list[str] = []
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._ran_at = time.monotonic()
        self._log = get_logger("chatferry.runner")

    def start(self) -> Self:
        """Start every loop."""
        self._engine.ledger.repair_clock(self._engine.clock())
        for number in range(self._engine.settings.runner.sync_threads):
            self._spawn(f"sync-{number}", self._engine.sync)
        for name in self._engine.destinations:
            self._spawn(f"deliver-{name}", partial(self._engine.deliver, name))
        for task in periodic_tasks(self._engine, reconciling=self._reconciling):
            self._spawn(task.name, task.run, idle=task.interval)
        self._engine.plugins.notify("engine_started", destinations=list(self._engine.destinations))
        return self

    @property
    def makes_progress(self) -> bool:
        """Whether any loop came round within a minute; each does every few seconds."""
        return time.monotonic() - self._ran_at < _PROGRESS

    @property
    def failed(self) -> list[str]:
        """The loops that ended without being stopped; only a restart brings them back."""
        return list(self._failed)

    def stop(self, timeout: float = 30.0) -> bool:
        """Start nothing new and wait for what runs; False if something still ran after ``timeout``."""
        self._stopping.set()
        self._engine.plugins.notify("engine_stopping")
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with suppress(LedgerError):  # the counts are for information only
            record_hook_failures(self._engine)
        running = [thread.name for thread in self._threads if thread.is_alive()]
        if running:
            self._log.warning("stopped before these were done; their leases run out", threads=running)
        return not running

    def _spawn(self, name: str, verb: Callable[[], int | None], idle: float | None = None) -> None:
        idle = self._engine.settings.runner.idle if idle is None else idle
        thread = threading.Thread(target=self._loop, args=(name, verb, idle), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _loop(self, name: str, verb: Callable[[], int | None], idle: float) -> None:
        lower_priority()
        wait = 0.0
        try:
            while not self._stopping.wait(wait):
                wait = self._run_once(name, verb, idle)
        except BaseException as error:  # noqa: BLE001  (else the thread would end unnoticed)
            self._failed.append(name)
            with suppress(Exception):
                self._log.critical("loop ended", thread=name, error=type(error).__name__, at=frames(error))
            self._on_failure()

    def _run_once(self, name: str, verb: Callable[[], int | None], idle: float) -> float:
        """Run the verb once and return how long to wait: not at all while there is more to do."""
        self._ran_at = time.monotonic()
        try:
            return 0.0 if verb() else idle
        except BaseException as error:  # noqa: BLE001  (a loop that ends silently is worse than any error)
            with suppress(Exception):  # a log that cannot be written, too
                self._report(name, error)
            return _AFTER_A_FAILURE

    def _report(self, name: str, error: BaseException) -> None:
        if isinstance(error, LedgerError):
            self._log.error("ledger unavailable", thread=name, reason=str(error))
        else:
            self._log.error("unexpected", thread=name, error=type(error).__name__, at=frames(error))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
