"""What follows from a batch's outcomes, for each delivery and for the destination.

The class of an outcome decides; this module is the table in ``docs/delivery.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chatferry import schedule
from chatferry.connector import Outcome
from chatferry.deliver.dispatcher import BatchResult
from chatferry.deliver.guarded_connector import ConnectorHung
from chatferry.errors import AuthFailure, DeliveryError, PermanentFailure, QuotaExhausted
from chatferry.ledger.deliveries.states import AttemptResult, Delivery, DeliveryState
from chatferry.ledger.destinations import DestinationState, Pause, PauseKind
from chatferry.ledger.snapshot import SnapshotUnreadable, dump_receipt, load_lead, load_receipt
from chatferry.model import Lead, Receipt
from chatferry.settings.model import RetrySettings
from chatferry.text import storable

_LONGEST_TEXT: Final = 4_000
"""Characters kept of a reason and of a CRM's message."""

_LONGEST_CODE: Final = 128
"""Characters kept of a code and a reference: what their columns hold."""


def open_snapshots(batch: Sequence[Delivery]) -> tuple[dict[Delivery, Lead], list[AttemptResult]]:
    """Return the leads of a batch, and the end of those whose content cannot be read any more."""
    leads: dict[Delivery, Lead] = {}
    unreadable: list[AttemptResult] = []
    for delivery in batch:
        try:
            leads[delivery] = load_lead(delivery.lead, load_receipt(delivery.receipt))
        except SnapshotUnreadable as error:
            unreadable.append(AttemptResult(delivery=delivery, state=DeliveryState.DEAD, reason=str(error)))
    return leads, unreadable


def attempt_results(
    batch: Sequence[Delivery], result: BatchResult, pause: Pause | None, retry: RetrySettings, now: float
) -> list[AttemptResult]:
    """Return what became of each delivery of a batch.

    :param pause: of the destination, which deliveries that share its failure wait for.
    """
    return [
        _attempt_result(delivery, outcome, pause if outcome is result.failure else None, retry, now)
        for delivery, outcome in zip(batch, result.outcomes, strict=True)
    ]


def pause_for(
    failure: DeliveryError | None, state: DestinationState, retry: RetrySettings, now: float
) -> Pause | None:
    """Return how long a destination waits after a batch that failed as a whole; None if it did not."""
    if failure is None:
        return None
    failures = state.failures + 1
    if isinstance(failure, QuotaExhausted):
        until = schedule.quota_ends(getattr(failure, "until", None), now, retry)
        return Pause(kind=PauseKind.QUOTA, reason=_reason(failure), until=until)
    if isinstance(failure, AuthFailure):
        return refused_credentials(_reason(failure), state, now)
    until = now + schedule.back_off(failures, retry, at_least=_retry_after(failure))
    kind = PauseKind.HUNG if isinstance(failure, ConnectorHung) else PauseKind.BACKING_OFF
    return Pause(kind=kind, reason=_reason(failure), until=until, failures=failures)


def refused_credentials(reason: str, state: DestinationState, now: float) -> Pause:
    """Return the pause of a destination whose credentials are refused: until the next probe."""
    until = now + schedule.PROBE_CREDENTIALS
    return Pause(kind=PauseKind.CREDENTIALS, reason=reason, until=until, failures=state.failures + 1)


def _attempt_result(
    delivery: Delivery, outcome: Outcome, pause: Pause | None, retry: RetrySettings, now: float
) -> AttemptResult:
    if isinstance(outcome, Receipt):
        return AttemptResult(delivery=delivery, state=DeliveryState.DELIVERED, receipt=dump_receipt(outcome))
    if isinstance(outcome, QuotaExhausted | AuthFailure):
        return _failed(delivery, outcome, DeliveryState.DUE, due_at=now, counted=False)
    if isinstance(outcome, PermanentFailure) or schedule.is_given_up(delivery.failing_since, now, retry):
        return _failed(delivery, outcome, DeliveryState.DEAD)
    again = now + schedule.back_off(delivery.attempts + 1, retry, at_least=_retry_after(outcome))
    due_at = max(again, pause.until if pause else again)
    return _failed(delivery, outcome, DeliveryState.DUE, due_at=due_at)


def _failed(
    delivery: Delivery,
    error: DeliveryError,
    state: DeliveryState,
    *,
    due_at: float | None = None,
    counted: bool = True,
) -> AttemptResult:
    return AttemptResult(
        delivery=delivery,
        state=state,
        due_at=due_at,
        reason=_reason(error),
        crm_message=_kept(getattr(error, "crm_message", None), _LONGEST_TEXT),
        code=_kept(getattr(error, "code", None), _LONGEST_CODE),
        reference=_kept(getattr(error, "reference", None), _LONGEST_CODE),
        counted=counted,
    )


# A connector's own error classes need not have called ours as they were made: no attribute is certain.


def _retry_after(error: DeliveryError) -> float | None:
    return getattr(error, "retry_after", None)


def _reason(error: DeliveryError) -> str:
    return _kept(error, _LONGEST_TEXT) or type(error).__name__


def _kept(said: object, longest: int) -> str | None:
    """Return what a connector said as a text every database holds, cut; None for nothing."""
    if said is None:
        return None
    try:
        text = str(said)
    except Exception:  # noqa: BLE001  (a plugin's object may do anything)
        return None
    return (storable(text[: 2 * longest]) or "")[:longest] or None
