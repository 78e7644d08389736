"""Hand a batch to a connector and get one outcome a lead back, whatever the connector does.

A connector may raise, hang, return too little, too much or nonsense. None of that may cost a
companion its delivery: a batch that fails for no reason of the destination's is split until the
culprit is found.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from chatferry.connector import Connector, Finding, Level, Outcome
from chatferry.errors import (
    AuthFailure,
    DeliveryError,
    PermanentFailure,
    PluginError,
    QuotaExhausted,
    TemporaryFailure,
)
from chatferry.logs import frames, get_logger
from chatferry.model import Lead, Receipt
from chatferry.text import storable

T = TypeVar("T")

_TIMEOUTS: Final = 4
"""Time-outs after which a call that hangs is abandoned, its own included."""

_ABANDONED: Final = 5
"""Abandoned calls that may still run: each keeps a thread, and what its connector holds."""

_HOLDS: Final = (TemporaryFailure, QuotaExhausted, AuthFailure)
"""What speaks for the destination when it is raised; of other kinds nobody knows what they mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """One outcome a lead, in order; ``hold`` is what speaks for the destination as a whole."""

    outcomes: Sequence[Outcome]
    hold: DeliveryError | None = None


class Hung(TemporaryFailure):
    """A call did not come back in time; nobody knows what became of it.

    :param thread: where it still runs; None if an earlier one does, and nothing was called.
    """

    def __init__(self, message: str, thread: threading.Thread | None = None) -> None:
        super().__init__(message)
        self.thread = thread


class Dispatcher:
    """The one way the engine calls a destination's connector.

    A call that hangs is waited for, since what it does may still happen; after four times its
    time-out it is abandoned and another connector made. Should the abandoned call go on later, its
    batch may reach the CRM beside another and overwrite newer content: :meth:`late_completions` tells its
    leads once it has ended. After five such calls only a restart helps.

    :param connect: makes a connector; called again after one hung.
    :param clock: seconds that only ever grow.
    :param making: seconds a connector may take to be made; how many it wants for a call is not known yet.
    :param closing: seconds it may take to close, fewer than whatever stops us waits before it kills.
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
        self._destination = destination
        self.connect = connect
        self._clock = clock
        self._making = making
        self._closing = closing
        self._connector: Connector | None = None
        self._stuck: _Stuck | None = None
        self._abandoned: list[threading.Thread] = []
        self._late: list[_Late] = []
        self._log = get_logger("chatferry.deliver").bind(destination=destination)

    def deliver(self, leads: Sequence[Lead]) -> BatchResult:
        """Deliver a batch; never raises."""
        try:
            outcomes = self._attempt(leads)
        except PermanentFailure as error:
            return self._split(leads) if len(leads) > 1 else BatchResult(outcomes=[error])
        except _HOLDS as error:
            return BatchResult(outcomes=[error] * len(leads), hold=error)
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything, and must not stop the others)
            self._log.error("connector failed", error=_kind(error), at=frames(_origin(error)))
            return self._split(leads) if len(leads) > 1 else BatchResult(outcomes=[_unforeseen(error)])
        return BatchResult(outcomes=outcomes, hold=_hold_in(outcomes))

    def late_completions(self) -> Iterator[Lead]:
        """Yield the leads of calls that hung and have ended since: the CRM may hold them from now on.

        Those of a call are yielded again next time unless all of them were taken.
        """
        for late in [one for one in self._late if not one.thread.is_alive()]:
            yield from late.leads
            self._late.remove(late)

    def check(self) -> Sequence[Finding]:
        """Return what the connector's ``check`` finds; a check that fails or hangs is a finding itself."""
        try:
            findings = self._call(lambda connector: connector.check())
        except DeliveryError as error:
            return [self._error(str(error))]
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything)
            self._log.error("check failed", error=_kind(error), at=frames(_origin(error)))
            return [self._error(f"check failed with {_kind(error)}")]
        if not isinstance(findings, Sequence) or not all(isinstance(one, Finding) for one in findings):
            return [self._error("the connector's check did not return findings")]
        return findings

    def probe(self) -> str | None:
        """Return why the destination cannot be served yet, None if ``check`` finds nothing wrong."""
        problem = next((one.message for one in self.check() if one.level is Level.ERROR), None)
        return problem if problem is None else storable(str(problem))

    def _error(self, message: str) -> Finding:
        return Finding(level=Level.ERROR, subject=self._destination, message=message)

    def erase(self, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
        """Erase the records of earlier deliveries; raises what the connector raises."""
        return self._call(lambda connector: connector.erase(receipts))

    def close(self) -> None:
        """Let the connector go; a connector that cannot even close, or not in time, is only reported."""
        connector, self._connector = self._connector, None
        if connector is None:
            return
        call = _Call(connector.close)
        if not call.wait(self._closing):
            self._log.error("connector does not close", seconds=self._closing)
            return
        try:
            call.result()
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything)
            self._log.error("connector did not close", error=_kind(error), at=frames(_origin(error)))

    def _attempt(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        try:
            outcomes = self._call(lambda connector: connector.deliver(leads))
        except Hung as error:
            if error.thread is not None:
                self._late.append(_Late(thread=error.thread, leads=leads))
            raise
        if not isinstance(outcomes, Sequence) or len(outcomes) != len(leads):
            raise PluginError(self._destination, "the connector did not return one outcome a lead")
        return [self._sound(outcome) for outcome in outcomes]

    def _sound(self, outcome: object) -> Outcome:
        if isinstance(outcome, DeliveryError):
            return outcome
        if not isinstance(outcome, Receipt):
            raise PluginError(self._destination, "the connector returned something that is no outcome")
        receipt = _storable(outcome)
        if receipt is None:
            raise PluginError(
                self._destination, "the connector returned a receipt of things that are no text"
            )
        return receipt

    def _split(self, leads: Sequence[Lead]) -> BatchResult:
        """Deliver the halves one after the other, unless the first says that nothing will pass."""
        middle = len(leads) // 2
        first = self.deliver(leads[:middle])
        if first.hold is not None:
            held: list[Outcome] = [first.hold] * (len(leads) - middle)
            return BatchResult(outcomes=[*first.outcomes, *held], hold=first.hold)
        second = self.deliver(leads[middle:])
        return BatchResult(outcomes=[*first.outcomes, *second.outcomes], hold=second.hold)

    def _call(self, ask: Callable[[Connector], T]) -> T:
        self._leave_behind()
        if self._connector is None:
            self._connector = self._in_time(self.connect, self._making)
        connector = self._connector
        return self._in_time(lambda: ask(connector), connector.timeout)

    def _leave_behind(self) -> None:
        """Forget a call that hung, once it came back or nobody believes any more that it will.

        :raises Hung: if it is still waited for.
        """
        stuck = self._stuck
        if stuck is None:
            return
        if not stuck.thread.is_alive():
            self._stuck = None
            self.close()  # what it was left in nobody knows
            return
        self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
        if len(self._abandoned) >= _ABANDONED:
            raise Hung(f"{_ABANDONED} calls and more never came back; restart chatferry")
        if self._clock() < stuck.until:
            raise Hung("an earlier call has not come back yet")
        self._log.error("call abandoned", running=len(self._abandoned) + 1)
        self._abandoned.append(stuck.thread)
        self._stuck = self._connector = None  # not closed: it is in use, and closing it may hang as well

    def _in_time(self, ask: Callable[[], T], seconds: float) -> T:
        began = self._clock()
        call = _Call(ask)
        if not call.wait(seconds):
            self._stuck = _Stuck(thread=call.thread, until=began + _TIMEOUTS * seconds)
            self._log.error("connector hangs", seconds=seconds)
            raise Hung(f"a call did not come back within {seconds:g} s", call.thread)
        return call.result()


class ConnectorQuit(Exception):
    """A connector raised what is no error but an end, such as SystemExit: it has no right to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stuck:
    """A call that did not come back, and until when it is waited for."""

    thread: threading.Thread
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Late:
    """The leads of a call that did not come back in time."""

    thread: threading.Thread
    leads: Sequence[Lead]


def _storable(receipt: Receipt) -> Receipt | None:
    """Return a receipt that can be written and read again, None if it is beyond repair.

    Ids that are numbers become texts; what no database can hold is replaced.
    """
    if not isinstance(receipt.ids, Mapping) or not isinstance(receipt.notes, list | tuple):
        return None
    names, ids = [storable(name) for name in receipt.ids], [_id(one) for one in receipt.ids.values()]
    url, notes = storable(receipt.url), [storable(note) for note in receipt.notes]
    if None in (*names, *ids, *notes) or (url is None and receipt.url is not None):
        return None
    return Receipt(
        ids={name: one for name, one in zip(names, ids, strict=True) if name is not None and one is not None},
        url=url,
        created=bool(receipt.created),
        notes=tuple(note for note in notes if note is not None),
    )


def _id(value: object) -> str | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else storable(value)


def _origin(error: Exception) -> BaseException:
    """Return what a connector raised."""
    return error.__cause__ if isinstance(error, ConnectorQuit) and error.__cause__ else error


def _kind(error: Exception) -> str:
    return type(_origin(error)).__name__


def _unforeseen(error: Exception) -> DeliveryError:
    """Return what became of a lead whose delivery raised none of the known kinds."""
    if isinstance(error, DeliveryError):
        return error  # a kind of the connector's own, with a message that may be shown
    return TemporaryFailure(f"the connector failed with {_kind(error)}")


def _hold_in(outcomes: Sequence[Outcome]) -> DeliveryError | None:
    """A quota or a refusal of credentials is the destination's, even when returned for one lead."""
    return next((one for one in outcomes if isinstance(one, QuotaExhausted | AuthFailure)), None)


@dataclass(slots=True)
class _Call(Generic[T]):
    """A call in a thread of its own, so that somebody can stop waiting for it."""

    ask: Callable[[], T]
    _returned: list[T] = field(default_factory=list)
    _raised: Exception | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name="connector", daemon=True)
        self.thread.start()

    def wait(self, seconds: float) -> bool:
        self.thread.join(seconds)
        return not self.thread.is_alive()

    def result(self) -> T:
        if self._raised is not None:
            raise self._raised
        return self._returned[0]

    def _run(self) -> None:
        try:
            self._returned.append(self.ask())
        except Exception as error:  # noqa: BLE001  (handed to the thread that waits)
            self._raised = error
        except BaseException as error:  # noqa: BLE001  (SystemExit would end the thread that waits, unseen)
            self._raised = ConnectorQuit()
            self._raised.__cause__ = error
