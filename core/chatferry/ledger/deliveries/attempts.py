"""What became of deliveries that were handed over, written down."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, case, func, null, or_, update

from chatferry.ledger.deliveries.stale_writes import ANEW, STALE, WRITTEN_OVER
from chatferry.ledger.deliveries.states import AttemptResult, DeliveryState
from chatferry.ledger.locking import lock_deliveries
from chatferry.ledger.tables import deliveries


def record(connection: Connection, results: Sequence[AttemptResult], now: float) -> None:
    """Write what became of a batch.

    A delivery that got newer content meanwhile is due with it, even if another process has delivered
    it or is about to: an older batch that ends late may have overwritten it. What the CRM said of
    the older content is kept all the same, unless it has said something of newer content since.
    What another process delivered meanwhile has not failed.
    """
    delivered = [one for one in results if one.state is DeliveryState.DELIVERED]
    failed = [one for one in results if one.state is not DeliveryState.DELIVERED]
    lock_deliveries(connection, deliveries.c.id.in_([one.delivery.id for one in results]))
    if delivered:
        connection.execute(_DELIVERED, [_delivered(one, now) for one in delivered])
    if failed:
        connection.execute(_FAILED, [_failed(one, now) for one in failed])
    # What failed may have been written all the same, unless the CRM plainly refused it.
    if unsure := [one for one in failed if one.state is DeliveryState.DUE and one.counted]:
        connection.execute(WRITTEN_OVER, [_meant(one, now) for one in unsure])


_UNCHANGED = deliveries.c.version == bindparam("of_version")

_NEWEST = func.coalesce(deliveries.c.delivered_version, 0) <= bindparam("of_version")

_DELIVERED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of_id"))
    .values(
        state=case(
            (_UNCHANGED, DeliveryState.DELIVERED.value), (STALE, ANEW["state"]), else_=deliveries.c.state
        ),
        due_at=case((_UNCHANGED, null()), (STALE, ANEW["due_at"]), else_=deliveries.c.due_at),
        reason=case((_UNCHANGED, null()), (STALE, ANEW["reason"]), else_=deliveries.c.reason),
        version=case((STALE, ANEW["version"]), else_=deliveries.c.version),
        crm_message=None,
        code=None,
        reference=None,
        failing_since=None,
        attempts=0,
        delivered_at=bindparam("at"),
        delivered_version=case((_NEWEST, bindparam("of_version")), else_=deliveries.c.delivered_version),
        delivered_fingerprint=case((_NEWEST, bindparam("what")), else_=deliveries.c.delivered_fingerprint),
        # NULL where it was erased since: the records that are there again must be known.
        receipt=case(
            (or_(_NEWEST, deliveries.c.receipt.is_(None)), bindparam("said")), else_=deliveries.c.receipt
        ),
    )
)

_FAILED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of_id"), _UNCHANGED, deliveries.c.state == DeliveryState.DUE.value)
    .values(
        state=bindparam("into"),
        due_at=bindparam("due"),
        reason=bindparam("why"),
        crm_message=bindparam("said_message"),
        code=bindparam("own_code"),
        reference=bindparam("own_reference"),
        attempts=deliveries.c.attempts + bindparam("tries"),
        failing_since=func.coalesce(deliveries.c.failing_since, bindparam("since")),
    )
)


def _meant(one: AttemptResult, now: float) -> dict[str, object]:
    return {"of_id": one.delivery.id, "of_version": one.delivery.version, "at": now}


def _delivered(one: AttemptResult, now: float) -> dict[str, object]:
    return {
        **_meant(one, now),
        "what": one.delivery.fingerprint,
        "said": one.receipt,
    }


def _failed(one: AttemptResult, now: float) -> dict[str, object]:
    return {
        "of_id": one.delivery.id,
        "of_version": one.delivery.version,
        "into": one.state.value,
        "due": one.due_at,
        "why": one.reason,
        "said_message": one.crm_message,
        "own_code": one.code,
        "own_reference": one.reference,
        "tries": 1 if one.counted else 0,
        "since": now if one.counted else None,
    }
