from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import event

from chatferry.iadvize.facts import retained_facts
from chatferry.ledger.deliveries.pruning import PRUNED_AT_ONCE
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import AttemptResult, DeliveryState
from chatferry.ledger.events import Admission
from chatferry.model import Conversation, Event
from chatferry.testing import make_lead

NOW = 1_700_000_000.0


@pytest.fixture
def lease(fill):
    def take(at=NOW):
        (leased,) = fill.ledger.deliveries.lease("sales", "me", at, at + 60, limit=9, linger=0).deliveries
        return leased

    return take


@pytest.fixture
def overtaken(fill, decided, lease):
    """A delivery leased with its first content and, by another process, with its second."""
    fill.put()
    first = lease()
    fill.mark("c1")
    fill.sync(decided(fingerprint="second"))
    return first, lease()


def delivered(delivery, receipt="{}"):
    return AttemptResult(delivery=delivery, state=DeliveryState.DELIVERED, receipt=receipt)


def test_what_a_crm_said_of_newer_content_outlives_an_older_batch_that_ends_late(fill, overtaken):
    older, newer = overtaken
    fill.ledger.deliveries.record_attempts([delivered(newer, "newer")], NOW)
    fill.ledger.deliveries.record_attempts([delivered(older, "older")], NOW + 1)
    found = fill.only()
    assert (found.receipt, found.delivered_fingerprint) == ("newer", "second")


@pytest.mark.parametrize(
    "late",
    [{"state": DeliveryState.DELIVERED, "receipt": "{}"}, {"state": DeliveryState.DUE, "due_at": NOW + 500}],
)
def test_newer_content_is_written_once_more_after_an_older_batch_that_ends_late(fill, overtaken, lease, late):
    older, newer = overtaken
    record = fill.ledger.deliveries.record_attempts
    record([delivered(newer)], NOW)
    record([AttemptResult(delivery=older, **late)], NOW + 1)
    assert (fill.only().state, fill.only().due_at) == (DeliveryState.DUE, NOW + 1)
    again = lease(NOW + 1)
    assert again.fingerprint == "second"
    record([delivered(again)], NOW + 2)
    assert (fill.only().state, fill.only().due_at) == (DeliveryState.DELIVERED, None)


def test_newer_content_in_flight_while_an_older_batch_ends_is_written_once_more(fill, overtaken, lease):
    """Which of the two the CRM took last is unknown."""
    older, newer = overtaken
    record = fill.ledger.deliveries.record_attempts
    record([delivered(older)], NOW)
    record([delivered(newer)], NOW + 1)
    assert fill.only().state is DeliveryState.DUE
    record([delivered(lease(NOW + 1))], NOW + 2)
    assert fill.only().state is DeliveryState.DELIVERED


def test_an_older_content_that_was_refused_has_overwritten_nothing(fill, overtaken):
    older, newer = overtaken
    fill.ledger.deliveries.record_attempts([delivered(newer)], NOW)
    refused = AttemptResult(delivery=older, state=DeliveryState.DEAD, reason="no such field")
    parked = AttemptResult(
        delivery=older, state=DeliveryState.DUE, due_at=NOW, reason="the quota is spent", counted=False
    )
    for late in (refused, parked):
        fill.ledger.deliveries.record_attempts([late], NOW + 1)
    assert fill.only().state is DeliveryState.DELIVERED


def test_a_record_made_for_a_visitor_who_was_erased_meanwhile_can_be_found(fill, overtaken):
    older, newer = overtaken
    fill.ledger.deliveries.record_attempts([delivered(newer)], NOW)
    (number,) = fill.ledger.erasures.meant(conversation="c1")
    fill.ledger.erasures.tombstone([number], [], NOW)
    fill.ledger.erasures.forget([newer.id])
    fill.ledger.deliveries.record_attempts([delivered(older, "anew")], NOW + 1)
    assert (fill.only().state, fill.only().receipt) == (DeliveryState.DISCARDED, "anew")


def test_a_batch_that_ends_late_does_not_queue_what_another_delivered(fill, lease):
    record = fill.ledger.deliveries.record_attempts
    fill.put()
    slow, quick = lease(), lease()
    record([AttemptResult(delivery=quick, state=DeliveryState.DELIVERED, receipt="{}")], NOW)
    record([AttemptResult(delivery=slow, state=DeliveryState.DUE, due_at=NOW + 9, reason="away")], NOW + 1)
    assert fill.only().state is DeliveryState.DELIVERED


def test_a_call_that_ends_late_concerns_the_conversation_of_its_own_platform(fill, decided):
    for platform in ("ha", "sd"):
        fill.mark("c1", platform=platform)
        fill.sync(decided(key=f"{platform}-335-c1"))
    leased = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    fill.ledger.deliveries.record_attempts([delivered(one) for one in leased], NOW)
    conversation = Conversation(id="c1", platform="sd", client_id=335)
    fill.ledger.deliveries.rewrite_stale("sales", replace(make_lead(), conversation=conversation), NOW + 1)
    states = {one.key: one.state for one in fill.ledger.selections.list(Selection(conversation="c1"))}
    assert states == {"ha-335-c1": DeliveryState.DELIVERED, "sd-335-c1": DeliveryState.DUE}


def test_many_that_end_late_are_recorded_together(fill, decided):
    for name in ("c1", "c2", "c3"):
        fill.put(name)
    lease = partial(fill.ledger.deliveries.lease, "sales", "me", limit=9, linger=0)
    older = lease(NOW, NOW + 60).deliveries
    for name in ("c1", "c2", "c3"):
        fill.mark(name)
    fill.sync(decided(fingerprint="second"))
    record = fill.ledger.deliveries.record_attempts
    record([delivered(one) for one in lease(NOW, NOW + 60).deliveries], NOW)
    late = [
        AttemptResult(delivery=one, state=DeliveryState.DUE, due_at=NOW + 9, reason="away")
        for one in older[1:]
    ]
    record([delivered(older[0]), *late], NOW + 1)
    assert [one.fingerprint for one in lease(NOW + 1, NOW + 60).deliveries] == ["second"] * 3


@contextmanager
def written(ledger, verb):
    """Collect how many rows each statement of a kind touched."""
    sizes: list[int] = []

    def note(_connection, cursor, statement, _parameters, _context, _many):
        if statement.startswith(verb):
            sizes.append(cursor.rowcount)

    event.listen(ledger.database.engine, "after_cursor_execute", note)
    yield sizes
    event.remove(ledger.database.engine, "after_cursor_execute", note)


def test_old_leads_and_events_are_dropped_a_few_at_a_time(fill, decided):
    ledger = fill.ledger
    many = PRUNED_AT_ONCE + 5
    ledger.events.accept(
        [
            Admission(
                event=Event(
                    event_id=f"e{number}",
                    event_type="v2.conversation.closed",
                    platform="ha",
                    client_id=335,
                    conversation_id=f"c{number}",
                    received_at=datetime.fromtimestamp(NOW, UTC),
                    body=b"{}",
                ),
                due_at=NOW,
            )
            for number in range(many)
        ]
    )
    assert ledger.events.prune(NOW + 1, retained_facts) == 0
    while ledger.status(NOW).reading.waiting:
        fill.sync(decided(state=DeliveryState.SKIPPED, reason="not ours", lead=None))
    with written(ledger, "DELETE") as deleted, written(ledger, "UPDATE") as emptied:
        assert ledger.events.prune(NOW + 1, retained_facts) == many
        assert ledger.deliveries.prune(NOW + 1) == many
    assert deleted == emptied == [PRUNED_AT_ONCE, 5]
    assert fill.only("c7").email is None


def test_the_failure_of_one_delivery_says_nothing_of_another(fill):
    fill.put("c1")
    fill.put("c2")
    first, second = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    dead = AttemptResult(delivery=first, state=DeliveryState.DEAD, reason="no such field")
    fill.ledger.deliveries.record_attempts([dead], NOW)
    assert (fill.only("c1").state, fill.only("c2").state) == (DeliveryState.DEAD, DeliveryState.DUE)
    dead = AttemptResult(delivery=second, state=DeliveryState.DUE, reason="away", due_at=NOW + 7)
    fill.ledger.deliveries.record_attempts([dead], NOW)
    assert (fill.only("c1").reason, fill.only("c2").due_at) == ("no such field", NOW + 7)


@pytest.mark.parametrize(
    "late",
    [{"state": DeliveryState.DELIVERED, "receipt": "{}"}, {"state": DeliveryState.DUE, "due_at": NOW + 500}],
)
def test_a_batch_that_ends_late_concerns_no_delivery_but_its_own(fill, decided, late):
    """Both have got newer content; of one an older batch ends late."""
    for name in ("c1", "c2"):
        fill.put(name)
    older = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    for name in ("c1", "c2"):
        fill.mark(name)
        fill.sync(decided(name, fingerprint="second"))
    newer = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    fill.ledger.deliveries.record_attempts([delivered(one) for one in newer], NOW)
    version = fill.only("c2").version
    fill.ledger.deliveries.record_attempts([AttemptResult(delivery=older[1], **late)], NOW + 1)
    assert (fill.only("c1").state, fill.only("c2").state) == (DeliveryState.DELIVERED, DeliveryState.DUE)
    assert fill.only("c2").version == version + 1


def test_newer_content_does_not_shorten_the_wait_of_one_that_fails(fill, decided, lease):
    fill.put()
    failed = AttemptResult(delivery=lease(), state=DeliveryState.DUE, reason="away", due_at=NOW + 500)
    fill.ledger.deliveries.record_attempts([failed], NOW)
    fill.mark("c1", NOW + 1)
    fill.sync(decided(fingerprint="second"), at=NOW + 1)
    found = fill.only()
    assert (found.fingerprint, found.reason, found.due_at) == ("second", "away", NOW + 500)
    fill.mark("c1", NOW + 600)
    fill.sync(decided(fingerprint="third"), at=NOW + 600)
    assert fill.only().due_at == NOW + 600


def test_what_an_operator_has_read_again_after_giving_it_up_is_not_queued_by_a_rule_that_skips_it(
    fill, decided
):
    fill.put()
    chosen = Selection(conversation="c1")
    fill.ledger.selections.discard(chosen, "not wanted")
    fill.ledger.selections.reread(chosen, NOW)
    fill.sync(decided(state=DeliveryState.SKIPPED, reason="a rule"))
    assert (fill.only().state, fill.only().reason) == (DeliveryState.DISCARDED, "not wanted")
    fill.ledger.selections.reread(chosen, NOW)
    fill.sync(decided(fingerprint="second"))
    assert fill.only().state is DeliveryState.DUE
