"""A destination's connector: made at the first call, called with a time-out, replaced after it hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, TypeVar

from chatferry.connector import Connector
from chatferry.errors import TemporaryFailure
from chatferry.logs import frames, get_logger
from chatferry.plugins.calls import CallAborted, CallHung, Calls

T = TypeVar("T")

_TIMEOUTS: Final = 4
"""Time-outs after which a call that hangs is abandoned, its own included."""


class ConnectorHung(TemporaryFailure):
    """A call did not return in time, so what became of its leads is unknown.

    :param call: the call that runs on; None where none was made because an earlier one hangs.
    """

    def __init__(self, message: str, call: Future[Any] | None = None) -> None:
        super().__init__(message)
        self.call = call


class GuardedConnector:
    """Calls one connector at a time.

    A call that hangs is waited for, since what it does may still happen; after four times its time-out
    it is abandoned and another connector made. After five such calls only a restart helps.

    :param connect: makes a connector.
    :param clock: seconds that only ever grow.
    :param making: seconds a connector may take to be made; its own time-out is not known yet.
    :param closing: seconds it may take to close, fewer than a supervisor waits before it kills us.
    """

    def __init__(
        self,
        destination: str,
        connect: Callable[[], Connector],
        *,
        clock: Callable[[], float] = time.monotonic,
        making: float = 30.0,
        closing: float = 5.0,
    ) -> None:
        self.connect = connect
        self._clock = clock
        self._making = making
        self._closing = closing
        self._connector: Connector | None = None
        self._calls = Calls("connector")
        self._hung: CallHung | None = None
        self._abandon_at = 0.0
        self._log = get_logger("chatferry.deliver").bind(destination=destination)

    def call(self, ask: Callable[[Connector], T]) -> T:
        """Return what ``ask`` makes of the connector, or raise what it raises.

        :raises ConnectorHung: if it does not return in time, or an earlier call has not yet.
        :raises CallAborted: if the connector raises what is no :class:`Exception`.
        """
        self._release_hung()
        connector = self._connector
        seconds = self._making if connector is None else connector.timeout
        began = self._clock()
        try:
            if connector is None:
                connector = self._connector = self._calls.run(self.connect, timeout=seconds)
                seconds, began = connector.timeout, self._clock()
            return self._calls.run(partial(ask, connector), timeout=seconds)
        except CallHung as hung:
            if hung.call is not None:
                self._hung, self._abandon_at = hung, began + _TIMEOUTS * seconds
                self._log.error("connector hangs", seconds=seconds)
            raise ConnectorHung(f"the connector {hung}", hung.call) from None

    def close(self) -> None:
        """Drop the connector; one that cannot close, or not in time, is only reported."""
        connector, self._connector = self._connector, None
        if connector is None:
            return
        try:
            Calls("connector").run(connector.close, timeout=self._closing)
        except CallHung:
            self._log.error("connector does not close", seconds=self._closing)
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything)
            raised = raised_by(error)
            self._log.error("connector did not close", error=type(raised).__name__, at=frames(raised))

    def _release_hung(self) -> None:
        """Replace the connector once a call that hung has returned, or been abandoned.

        :raises ConnectorHung: while it is waited for.
        """
        if self._hung is None:
            return
        if not self._hung.is_running:
            self._hung = None
            self.close()  # it may be left in any state
        elif self._clock() < self._abandon_at:
            raise ConnectorHung("an earlier call has not returned yet")
        else:
            self._log.error("call abandoned")
            self._hung = self._connector = None  # not closed: it is in use, and closing it may hang as well


def raised_by(error: Exception) -> BaseException:
    """Return what a connector raised, where a call was aborted by it."""
    return error.end if isinstance(error, CallAborted) else error
