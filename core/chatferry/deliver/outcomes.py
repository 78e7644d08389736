"""What follows from a batch's outcomes, for each delivery and for the destination.

The class of an outcome decides; this module is the table in ``docs/delivery.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatferry import schedule
from chatferry.connector import Outcome
from chatferry.deliver.dispatcher import BatchResult, Hung
from chatferry.errors import AuthFailure, DeliveryError, PermanentFailure, QuotaExhausted
from chatferry.ledger.decisions import DeliveryState
from chatferry.ledger.deliveries import DueDelivery, AttemptResult
from chatferry.ledger.destinations import DestinationState, PauseKind
from chatferry.ledger.snapshot import SnapshotUnreadable, dump_receipt, load_lead, load_receipt
from chatferry.model import Lead, Receipt
from chatferry.settings.model import RetrySettings
from chatferry.text import storable

_LONGEST_TEXT: Final = 4_000
"""Characters kept of a reason and of a CRM's crm_message."""

_LONGEST_CODE: Final = 128
"""Characters kept of a code and a reference: what their columns hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """How long a destination rests, and why."""

    why: PauseKind
    reason: str
    until: float
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What to write: an entry a delivery, and the destination's rest if it needs one."""

    deliveries: Sequence[AttemptResult]
    rest: Pause | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the CRM took anything."""
        return any(one.state is DeliveryState.DELIVERED for one in self.deliveries)


def open_snapshots(batch: Sequence[DueDelivery]) -> tuple[dict[DueDelivery, Lead], list[AttemptResult]]:
    """Return the leads of a batch, and the end of those whose content cannot be read any more."""
    leads: dict[DueDelivery, Lead] = {}
    unreadable: list[AttemptResult] = []
    for delivery in batch:
        try:
            leads[delivery] = load_lead(delivery.lead, load_receipt(delivery.receipt))
        except SnapshotUnreadable as error:
            unreadable.append(AttemptResult(delivery=delivery, state=DeliveryState.DEAD, reason=str(error)))
    return leads, unreadable


def settle(
    batch: Sequence[DueDelivery],
    handed: BatchResult,
    state: DestinationState,
    retry: RetrySettings,
    now: float,
) -> Settlement:
    """Turn a batch's outcomes into what the ledger shall say."""
    rest = _rest(handed.hold, state, retry, now)
    deliveries = [
        _settled(delivery, outcome, rest if outcome is handed.hold else None, retry, now)
        for delivery, outcome in zip(batch, handed.outcomes, strict=True)
    ]
    return Settlement(deliveries=deliveries, rest=rest)


def _rest(
    hold: DeliveryError | None, state: DestinationState, retry: RetrySettings, now: float
) -> Pause | None:
    if hold is None:
        return None
    failures = state.failures + 1
    if isinstance(hold, QuotaExhausted):
        until = schedule.quota_ends(getattr(hold, "until", None), now, retry)
        return Pause(why=PauseKind.QUOTA, reason=_reason(hold), until=until, failures=0)
    if isinstance(hold, AuthFailure):
        until = now + schedule.PROBE_CREDENTIALS
        return Pause(why=PauseKind.CREDENTIALS, reason=_reason(hold), until=until, failures=failures)
    until = now + schedule.back_off(failures, retry, at_least=_asked(hold))
    why = PauseKind.HUNG if isinstance(hold, Hung) else PauseKind.BACKING_OFF
    return Pause(why=why, reason=_reason(hold), until=until, failures=failures)


def _settled(
    delivery: DueDelivery, outcome: Outcome, rest: Pause | None, retry: RetrySettings, now: float
) -> AttemptResult:
    if isinstance(outcome, Receipt):
        return AttemptResult(delivery=delivery, state=DeliveryState.DELIVERED, receipt=dump_receipt(outcome))
    if isinstance(outcome, QuotaExhausted | AuthFailure):
        return _failed(delivery, outcome, DeliveryState.DUE, due_at=now, counted=False)
    if isinstance(outcome, PermanentFailure) or schedule.is_given_up(delivery.failing_since, now, retry):
        return _failed(delivery, outcome, DeliveryState.DEAD)
    again = now + schedule.back_off(delivery.attempts + 1, retry, at_least=_asked(outcome))
    return _failed(delivery, outcome, DeliveryState.DUE, due_at=max(again, rest.until if rest else again))


def _failed(
    delivery: DueDelivery,
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


def unwritable(settled: AttemptResult, error: Exception) -> AttemptResult:
    """Return the end of a delivery whose outcome the ledger cannot hold."""
    reason = f"what became of it cannot be written ({type(error).__name__})"
    return AttemptResult(delivery=settled.delivery, state=DeliveryState.DEAD, reason=reason)


# A connector's own error classes need not have called ours as they were made: nothing is sure to be there.


def _asked(error: DeliveryError) -> float | None:
    return getattr(error, "retry_after", None)


def _reason(error: DeliveryError) -> str:
    return _kept(error, _LONGEST_TEXT) or type(error).__name__


def _kept(said: object, longest: int) -> str | None:
    """Return what somebody else said as a text every database holds, cut; None for nothing."""
    if said is None:
        return None
    try:
        text = str(said)
    except Exception:  # noqa: BLE001  (it is somebody else's)
        return None
    return (storable(text[: 2 * longest]) or "")[:longest] or None
