from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from chatferry.iadvize.facts import retained_facts
from chatferry.ledger.conversations import SyncResult
from chatferry.ledger.deliveries.states import ERASED, AttemptResult, DeliveryState
from chatferry.ledger.events import Admission
from chatferry.ledger.stories import Name
from chatferry.ledger.tables import conversations, events
from chatferry.model import Event

NOW = 1_700_000_000.0


@pytest.fixture
def erasures(fill):
    return fill.ledger.erasures


def test_a_person_is_found_by_conversation_by_key_and_by_address(fill, erasures):
    fill.put("c1", email="ann@example.org")
    fill.put("c2", email="ann@example.org")
    fill.put("c3", email="bob@example.org")
    assert erasures.meant(conversation="c1") == erasures.meant(conversation="ha-335-c1") == [1]
    assert erasures.meant(email="Ann@example.org") == [1, 2]
    assert erasures.others([1]) == 1
    assert erasures.meant(email="unknown@example.org") == erasures.meant(conversation="x") == []


def test_a_tombstone_holds_no_content_and_newer_content_does_not_replace_it(fill, erasures, decided):
    fill.put()
    erasures.tombstone([1], ["sales", "care"], NOW)
    sales, care = fill.only(destination="sales"), fill.only(destination="care")
    assert (sales.state, sales.reason, sales.lead, sales.due_at) == (
        DeliveryState.DISCARDED,
        ERASED,
        None,
        None,
    )
    assert (care.state, care.reason, care.key) == (DeliveryState.DISCARDED, ERASED, sales.key)
    for fingerprint in ("second", None):
        fill.mark("c1")
        fill.sync(*(decided(destination=name, fingerprint=fingerprint) for name in ("sales", "care", "new")))
    assert len(fill.ledger.erasures.tombstones([1])) == 2
    assert fill.only(destination="sales").lead is None


def test_a_sync_that_was_under_way_comes_too_late(fill, erasures, decided):
    fill.put()
    fill.mark("c1")
    owner = fill.ledger.owner
    (leased,) = fill.ledger.conversations.lease(owner, NOW, NOW + 60, 50)
    erasures.tombstone([1], ["sales"], NOW)
    fill.ledger.conversations.record_sync(
        owner, [SyncResult(due=leased, synced_at=NOW, decisions=[decided(fingerprint="second")])], NOW
    )
    assert fill.only().reason == ERASED


def test_what_the_crm_said_stays_until_its_records_are_gone(fill, erasures):
    fill.put()
    (leased,) = fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0).deliveries
    erasures.tombstone([1], ["sales"], NOW)
    fill.ledger.deliveries.record_attempts(
        [AttemptResult(delivery=leased, state=DeliveryState.DELIVERED, receipt="{}")], NOW
    )
    (tombstone,) = erasures.tombstones([1])
    assert tombstone.receipt == "{}"
    assert fill.only().state is DeliveryState.DISCARDED
    erasures.forget([tombstone.id])
    assert erasures.tombstones([1])[0].receipt is None
    assert fill.only().email is None


def test_the_delivery_of_one_destination_can_be_erased_alone(fill, erasures, decided):
    fill.mark("c1")
    fill.sync(decided(), decided(destination="care"))
    erasures.tombstone_at([1], "sales")
    assert fill.only(destination="sales").reason == ERASED
    assert fill.only(destination="care").state is DeliveryState.DUE


def test_what_a_visitor_wrote_goes_out_of_the_events_and_the_rest_stays(fill, erasures):
    fill.ledger.events.accept([Admission(event=answered(), due_at=NOW)])
    erasures.tombstone(erasures.meant(conversation="c1"), ["sales"], NOW)
    with fill.ledger.database.read() as connection:
        (kept,) = fill.ledger.events.of(connection, ["c1"])["c1"]
    assert json.loads(kept.body) == {"conversationId": "c1", "clientId": 335}
    (known,) = fill.ledger.stories.conversation_rows(Name(conversation_id="c1"))
    assert known.due_at is None


def test_an_event_in_which_a_visitor_wrote_nothing_stays_as_it_was_signed(fill, erasures):
    signed = b'{ "conversationId":"c1",  "clientId":335 }'
    fill.ledger.events.accept([Admission(event=replace(answered(), body=signed), due_at=NOW)])
    erasures.tombstone(erasures.meant(conversation="c1"), ["sales"], NOW)
    with fill.ledger.database.read() as connection:
        (kept,) = fill.ledger.events.of(connection, ["c1"])["c1"]
    assert kept.body == signed


def answered(event_id="e1"):
    body = {"conversationId": "c1", "satisfactionComment": "kumquat", "clientId": 335}
    return Event(
        event_id=event_id,
        event_type="satisfaction.answered",
        platform="ha",
        client_id=335,
        conversation_id="c1",
        visitor_id="v1",
        received_at=datetime.fromtimestamp(NOW, UTC),
        body=json.dumps(body).encode(),
    )


def held(ledger):
    """Return everything the ledger holds of conversations and events, as text."""
    with ledger.database.read() as connection:
        return [str(connection.execute(select(table)).all()) for table in (conversations, events)]


def test_no_later_event_or_reading_brings_back_who_was_erased(fill, erasures):
    ledger = fill.ledger
    fill.mark("c1")
    (leased,) = ledger.conversations.lease("me", NOW, NOW + 60, 50)
    erasures.tombstone([1], ["sales"], NOW)
    ledger.conversations.record_sync("me", [SyncResult(due=leased, visitor_id="v1", due_at=NOW)], NOW)
    ledger.events.accept([Admission(event=answered(), due_at=NOW)])
    fill.mark("c1", visitor_id="v1")
    known, kept = held(ledger)
    assert "v1" not in known
    assert "kumquat" not in kept
    assert "satisfaction.answered" in kept
    assert ledger.conversations.lease("me", NOW + 99, NOW + 160, 50) == []
    assert ledger.conversations.unknown("ha", 335, ["c1", "c2"]) == ["c2"]


@pytest.mark.parametrize("pruned_first", [True, False])
def test_the_facts_of_pruned_events_go_as_well_and_do_not_come_back(fill, erasures, pruned_first):
    ledger = fill.ledger
    ledger.events.accept([Admission(event=answered(), due_at=NOW)])
    fill.sync()
    if pruned_first:
        ledger.events.prune(NOW + 1, retained_facts)
        assert "kumquat" in held(ledger)[0]
    erasures.tombstone(erasures.meant(conversation="c1"), ["sales"], NOW)
    ledger.events.accept([Admission(event=answered("e2"), due_at=NOW)])
    ledger.events.prune(NOW + 1, retained_facts)
    assert "kumquat" not in "".join(held(ledger))
    assert ledger.status(NOW).events == 0


def test_a_conversation_erased_from_its_only_destination_still_goes_to_others(fill, erasures, decided):
    fill.put()
    erasures.tombstone_at([1], "sales")
    fill.mark("c1")
    fill.sync(decided(fingerprint="second"), decided(destination="care"))
    assert fill.only(destination="sales").reason == ERASED
    assert fill.only(destination="care").state is DeliveryState.DUE


def test_what_a_visitor_wrote_is_taken_out_of_the_events_of_the_conversation_that_is_meant(fill, erasures):
    """Another client, or another platform, may use the same id."""
    said = json.dumps({"satisfactionComment": "was nice"}).encode()
    clients = [("ha", 334), ("ha", 335), ("ha", 336), ("sd", 335)]
    for number, (platform, client_id) in enumerate(clients):
        one = Event(
            event_id=f"e{number}",
            event_type="satisfaction.answered",
            platform=platform,
            client_id=client_id,
            project_id=1549,
            conversation_id="c1",
            received_at=datetime.fromtimestamp(NOW, UTC),
            body=said,
        )
        fill.ledger.events.accept([Admission(event=one, due_at=NOW)])
    erasures.tombstone([2], ["sales"], NOW)
    with fill.ledger.database.read() as connection:
        bodies = connection.execute(select(events.c.body).order_by(events.c.event_id)).scalars().all()
    assert [body == said for body in bodies] == [True, False, True, True]
