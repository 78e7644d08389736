from __future__ import annotations

import pytest

from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import ERASED, AttemptResult, DeliveryState

NOW = 1_700_000_000.0


@pytest.fixture
def three(fill):
    fill.put("c1", state=DeliveryState.DEAD, reason="Q1 is too long (100%)")
    fill.put("c2", project_id=2000, email="Ann@Example.org")
    fill.put("c3", destination="care", state=DeliveryState.PARKED, reason="there is no e-mail", email=None)
    return fill.ledger.selections


@pytest.mark.parametrize(
    ("selection", "conversations"),
    [
        (Selection(), ["c3", "c2", "c1"]),
        (Selection(states=(DeliveryState.DEAD, DeliveryState.PARKED)), ["c3", "c1"]),
        (Selection(destination="care"), ["c3"]),
        (Selection(project_id=2000), ["c2"]),
        (Selection(email="ann@example.ORG"), ["c2"]),
        (Selection(conversation="c2"), ["c2"]),
        (Selection(conversation="ha-335-c2"), ["c2"]),
        (Selection(cause="q1 IS"), ["c1"]),
        (Selection(cause="(100%)"), ["c1"]),
        (Selection(cause="%"), ["c1"]),
        (Selection(cause="_"), []),
        (Selection(states=(DeliveryState.DEAD,), destination="care"), []),
    ],
)
def test_what_is_chosen_is_listed_newest_first_and_counted(three, selection, conversations):
    assert [one.conversation_id for one in three.list(selection)] == conversations
    assert three.count(selection) == len(conversations)


def test_a_list_is_limited_and_each_goes_through_all_in_pages(three):
    assert len(three.list(Selection(), limit=2)) == 2
    assert [one.conversation_id for one in three.each(Selection(), page=1)] == ["c1", "c2", "c3"]


def test_numbers_choose(three):
    chosen = three.list(Selection())[0]
    assert three.list(Selection(ids=(chosen.id, 99))) == [chosen]


def test_what_is_revived_is_due_with_its_new_content(fill, decided):
    dead = fill.put(state=DeliveryState.DEAD, reason="too long")
    revived = (dead, decided(fingerprint="second", lead=b"new"))
    assert fill.ledger.selections.revive([revived], NOW + 5) == 1
    found = fill.only()
    assert (found.state, found.due_at, found.fingerprint, found.lead) == (
        DeliveryState.DUE,
        NOW + 5,
        "second",
        b"new",
    )
    assert fill.ledger.selections.revive([revived], NOW + 6) == 0


def test_what_is_discarded_is_not_delivered_and_what_is_delivered_is_not_discarded(fill):
    fill.put()
    assert fill.ledger.selections.discard(Selection(), "a test") == 1
    lease = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    assert lease == []
    fill.put("c2", state=DeliveryState.SKIPPED, reason="not ours")
    assert fill.ledger.selections.discard(Selection(conversation="c2"), "a test") == 0


def test_a_failure_on_its_way_does_not_take_a_discard_back(fill):
    fill.put()
    (leased,) = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    fill.ledger.selections.discard(Selection(), "a test")
    fill.ledger.deliveries.record_attempts(
        [AttemptResult(delivery=leased, state=DeliveryState.DUE, due_at=NOW + 9, reason="away")], NOW
    )
    assert (fill.only().state, fill.only().reason) == (DeliveryState.DISCARDED, "a test")


def test_newer_content_does_not_take_a_discard_back_but_an_operator_does(fill, decided):
    fill.put()
    fill.ledger.selections.discard(Selection(), "a test")
    fill.mark("c1")
    fill.sync(decided(fingerprint="second"))
    assert fill.only().state is DeliveryState.DISCARDED
    assert fill.ledger.selections.reread(Selection(), NOW) == 1
    fill.sync(decided(fingerprint="second"))
    assert fill.only().state is DeliveryState.DUE


def test_a_discard_after_a_reread_is_the_last_word(fill, decided):
    fill.put()
    fill.ledger.selections.reread(Selection(), NOW)
    fill.ledger.selections.discard(Selection(), "a test")
    fill.sync(decided(fingerprint="second"))
    assert fill.only().state is DeliveryState.DISCARDED


def test_what_is_read_again_is_queued_although_it_is_the_same(fill, decided):
    fill.put()
    (leased,) = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    fill.ledger.deliveries.record_attempts(
        [AttemptResult(delivery=leased, state=DeliveryState.DELIVERED)], NOW
    )
    fill.mark("c1")
    fill.sync(decided())
    assert fill.only().state is DeliveryState.DELIVERED
    fill.ledger.selections.reread(Selection(), NOW)
    fill.sync(decided())
    assert fill.only().state is DeliveryState.DUE


def test_the_erased_are_not_read_again(fill):
    fill.put()
    fill.ledger.erasures.tombstone([1], ["sales"], NOW)
    assert fill.only().reason == ERASED
    assert fill.ledger.selections.reread(Selection(), NOW) == 0
