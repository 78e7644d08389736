"""Dispatch a batch to a connector and get one outcome a lead back, whatever the connector does.

A connector may raise, hang, return too little, too much or nonsense. None of that may cost a
companion its delivery: a batch that fails for no reason of the destination's is split until the
culprit is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import methodcaller
from typing import Any, Final

from chatferry.connector import Connector, Finding, Level, Outcome
from chatferry.deliver.guarded_connector import ConnectorHung, GuardedConnector, raised_by
from chatferry.deliver.returned import sound_outcomes
from chatferry.errors import AuthFailure, DeliveryError, QuotaExhausted, TemporaryFailure
from chatferry.isolation import isolate
from chatferry.logs import frames, get_logger
from chatferry.model import Lead, Receipt
from chatferry.text import storable

_OF_DESTINATION: Final = (TemporaryFailure, QuotaExhausted, AuthFailure)
"""What speaks for the destination when it is raised; other errors may be about a single lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """One outcome a lead, in order; ``failure`` is what speaks for the destination as a whole."""

    outcomes: Sequence[Outcome]
    failure: DeliveryError | None = None


class Dispatcher:
    """The one way the engine calls a destination's connector.

    A call that hangs may go on later, and its batch then reach the CRM beside another and overwrite
    newer content: :meth:`late_completions` returns its leads once it has ended.

    :param batch_size: the connector's: how many leads a batch may hold.
    """

    def __init__(self, destination: str, connector: GuardedConnector, *, batch_size: int = 1) -> None:
        self.batch_size = batch_size
        self._destination = destination
        self._connector = connector
        self._late: list[_LateCall] = []
        self._log = get_logger("chatferry.deliver").bind(destination=destination)

    def deliver(self, leads: Sequence[Lead]) -> BatchResult:
        """Deliver a batch; never raises."""
        try:
            outcomes = self._attempt(leads)
        except _OF_DESTINATION as error:
            return BatchResult(outcomes=[error] * len(leads), failure=error)
        except DeliveryError as error:
            if len(leads) > 1:
                return self._isolate(leads)
            return BatchResult(outcomes=[_outcome_of(error)])
        return BatchResult(outcomes=outcomes, failure=_failure_in(outcomes) or _common_failure(outcomes))

    def _isolate(self, leads: Sequence[Lead]) -> BatchResult:
        """Deliver the halves of a refused batch, until the culprits are alone or nothing will pass."""
        failure: DeliveryError | None = None

        def send(part: Sequence[Lead]) -> Sequence[Outcome]:
            nonlocal failure
            if failure is not None:
                raise failure
            try:
                outcomes = self._attempt(part)
            except _OF_DESTINATION as error:
                failure = error
                raise
            failure = _failure_in(outcomes)
            return outcomes

        half = (len(leads) + 1) // 2
        found = isolate(leads, send, refusal=DeliveryError, stop=_OF_DESTINATION, size=half)
        return BatchResult(outcomes=[_outcome_of(one) for one in found], failure=failure)

    def _attempt(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        """Return one sound outcome a lead.

        :raises DeliveryError: what the connector raises; :class:`_ConnectorFailed` for any other error.
        """
        try:
            outcomes = self._connector.call(methodcaller("deliver", leads))
            return sound_outcomes(self._destination, outcomes, leads)
        except ConnectorHung as error:
            if error.call is not None:
                self._late.append(_LateCall(call=error.call, leads=leads))
            raise
        except DeliveryError:
            raise
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything, and must not stop the others)
            raised = raised_by(error)
            self._log.error("connector failed", error=type(raised).__name__, at=frames(raised))
            raise _ConnectorFailed(f"the connector failed with {type(raised).__name__}") from None

    def late_completions(self) -> Iterator[Lead]:
        """Yield the leads of calls that hung and have ended since: the CRM may hold them from now on.

        Those of a call are yielded again next time unless all of them were taken.
        """
        for late in [one for one in self._late if one.call.done()]:
            yield from late.leads
            self._late.remove(late)

    def check(self) -> Sequence[Finding]:
        """Return what the connector's ``check`` finds; a check that fails or hangs is a finding itself."""
        try:
            findings = self._connector.call(methodcaller("check"))
        except DeliveryError as error:
            return [self._error(str(error))]
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything)
            raised = raised_by(error)
            self._log.error("check failed", error=type(raised).__name__, at=frames(raised))
            return [self._error(f"check failed with {type(raised).__name__}")]
        if not isinstance(findings, Sequence) or not all(isinstance(one, Finding) for one in findings):
            return [self._error("the connector's check did not return findings")]
        return findings

    def probe(self) -> str | None:
        """Return why the destination cannot be served yet, None if ``check`` finds nothing wrong."""
        problem = next((one.message for one in self.check() if one.level is Level.ERROR), None)
        return problem if problem is None else storable(str(problem))

    def _error(self, message: str) -> Finding:
        return Finding(level=Level.ERROR, subject=self._destination, message=message)

    def connect(self) -> Connector:
        """Return a connector apart from the one that delivers, for a plugin's own commands."""
        return self._connector.connect()

    def erase(self, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
        """Erase the records of earlier deliveries; raises what the connector raises."""
        erased: Sequence[Outcome] = self._connector.call(methodcaller("erase", receipts))
        return erased

    def close(self) -> None:
        """Drop the connector."""
        self._connector.close()


class _ConnectorFailed(DeliveryError):
    """The connector raised what is none of the known kinds, or returned no outcomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LateCall:
    """A call that did not return in time, and its leads."""

    call: Future[Any]
    leads: Sequence[Lead]


def _outcome_of(outcome: Outcome) -> Outcome:
    """Return a connector's own failure as one to try again; a kind of its own keeps its message."""
    return TemporaryFailure(outcome.message) if isinstance(outcome, _ConnectorFailed) else outcome


def _common_failure(outcomes: Sequence[Outcome]) -> DeliveryError | None:
    """What several leads all met speaks for the destination: its CRM is away for the next batch as well."""
    if len(outcomes) < 2 or not all(isinstance(one, TemporaryFailure) for one in outcomes):  # noqa: PLR2004  (several)
        return None
    longest = max(outcomes, key=lambda one: getattr(one, "retry_after", None) or 0.0)
    return longest if isinstance(longest, DeliveryError) else None


def _failure_in(outcomes: Sequence[Outcome]) -> DeliveryError | None:
    """A quota or a refusal of credentials is the destination's, even when returned for one lead.

    Of several, a refusal, which needs an operator, and else the quota that is back last.
    """
    refused = next((one for one in outcomes if isinstance(one, AuthFailure)), None)
    spent = [one for one in outcomes if isinstance(one, QuotaExhausted)]
    return refused or max(spent, key=_back_at, default=None)


def _back_at(spent: QuotaExhausted) -> datetime:
    until = spent.until
    if not isinstance(until, datetime):
        return datetime.min.replace(tzinfo=UTC)
    return until.replace(tzinfo=UTC) if until.tzinfo is None else until
