from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy

from chatferry.iadvize.facts import facts_of, retained_facts
from chatferry.ledger import Ledger
from chatferry.ledger.conversations import SyncResult
from chatferry.ledger.events import Admission
from chatferry.model import Event

NOW = 1_700_000_000.0
EventMaker = Callable[..., Event]


@pytest.fixture
def event() -> EventMaker:
    def make(event_id: str = "e1", *, at: float = NOW, **changes: object) -> Event:
        values: dict[str, object] = {
            "event_id": event_id,
            "event_type": "v2.conversation.closed",
            "platform": "ha",
            "client_id": 335,
            "project_id": 1549,
            "conversation_id": "4c8c7408-f73c-42cd-89e9-afbbee7d9024",
            "received_at": datetime.fromtimestamp(at, UTC),
            "body": b"{}",
        }
        return Event(**{**values, **changes})

    return make


def due(ledger: Ledger, now: float = NOW) -> list[str]:
    leased = ledger.conversations.lease(ledger.owner, now, now + 60, 50)
    return [one.conversation_id for one in leased]


def test_an_accepted_event_makes_its_conversation_due(ledger, event):
    ledger.events.accept([Admission(event=event(), due_at=NOW)])
    assert due(ledger) == ["4c8c7408-f73c-42cd-89e9-afbbee7d9024"]


def test_what_is_acknowledged_survives_a_loss_of_power(ledger, event):
    """How a transaction is committed can be asked until it is; SQLite calls what is flushed 2."""
    asked = "PRAGMA synchronous" if ledger.database.is_sqlite else "SHOW synchronous_commit"
    found = []

    @sqlalchemy.event.listens_for(ledger.database.engine, "commit")
    def look(connection):
        found.append(connection.exec_driver_sql(asked).scalar())

    ledger.events.accept([Admission(event=event(), due_at=NOW)])
    ledger.conversations.request_sync([])
    assert found == ([2, 1] if ledger.database.is_sqlite else ["on", "off"])


def test_an_event_sent_twice_is_kept_once(ledger, event):
    ledger.events.accept([Admission(event=event(), due_at=NOW)])
    ledger.events.accept([Admission(event=event(), due_at=NOW), Admission(event=event("e2"), due_at=NOW)])
    (leased,) = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    assert [one.event_id for one in leased.events] == ["e1", "e2"]
    assert leased.generation == 2


def test_the_same_event_twice_in_one_group_is_kept_once(ledger, event):
    ledger.events.accept([Admission(event=event(), due_at=NOW)] * 3)
    (leased,) = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    assert len(leased.events) == 1


def test_a_date_at_the_end_of_all_calendars_stops_nothing(ledger, event):
    last = datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
    ledger.events.accept([Admission(event=event(occurred_at=last), due_at=NOW)])
    (leased,) = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    assert [one.occurred_at for one in leased.events] == [None]


def test_a_refused_event_is_kept_and_counted_and_nothing_is_due(ledger, event):
    ledger.events.accept([Admission(event=event(), refusal="client ha/335 is not configured")])
    with ledger.database.read() as connection:
        assert ledger.events.refused(connection) == [("client ha/335 is not configured", 1)]
    assert due(ledger) == []


def test_an_event_about_a_visitor_marks_the_conversations_read_of_that_visitor(ledger, event):
    ledger.events.accept([Admission(event=event(visitor_id="v1"), due_at=NOW)])
    leased = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    ledger.conversations.record_sync(
        ledger.owner, [SyncResult(due=leased[0], synced_at=NOW, closed_at=NOW)], NOW
    )
    assert due(ledger) == []
    update = event("e9", event_type="visitor.updated", conversation_id=None, visitor_id="v1")
    ledger.events.accept([Admission(event=update, due_at=NOW)])
    assert len(due(ledger)) == 1


def test_two_clients_may_use_one_conversation_id(ledger, event):
    ledger.events.accept([Admission(event=event(), due_at=NOW)])
    ledger.events.accept([Admission(event=event("e2", client_id=336), due_at=NOW)])
    first = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    second = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    assert [len(one.events) for one in first + second] == [1, 1]
    assert {one.client_id for one in first + second} == {335, 336}


def test_pruning_tells_two_clients_with_one_conversation_id_apart(ledger, event):
    """What the one's events said stays with the one, though the other's is read anew meanwhile."""
    for client_id, score in ((335, 1), (336, 5)):
        said = event(f"e{client_id}", client_id=client_id, body=b'{"customerSatisfaction": %d}' % score)
        ledger.events.accept([Admission(event=said, due_at=NOW)])
        sync(ledger)
    ledger.events.accept([Admission(event=event("again", client_id=336), due_at=NOW + 5)])
    ledger.events.prune(NOW + 1, retained_facts)
    ledger.events.accept([Admission(event=event("anew"), due_at=NOW)])
    due = [ledger.conversations.lease(ledger.owner, NOW + 9, NOW + 60, 50)[0] for _ in range(2)]
    facts = {one.client_id: facts_of(one.events, one.event_facts).satisfaction.csat for one in due}
    assert facts == {335: 1, 336: 5}


def test_pruning_drops_old_events_of_conversations_that_are_done(ledger, event):
    ledger.events.accept([Admission(event=event(), due_at=NOW)])
    assert ledger.events.prune(NOW + 1, retained_facts) == 0
    leased = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    ledger.conversations.record_sync(ledger.owner, [SyncResult(due=leased[0], synced_at=NOW)], NOW)
    assert ledger.events.prune(NOW - 1, retained_facts) == 0
    assert ledger.events.prune(NOW + 1, retained_facts) == 1


def test_the_facts_of_pruned_events_stay_with_their_conversation(ledger, event):
    ledger.events.accept([Admission(event=event(body=b'{"operatorIds": [7]}'), due_at=NOW)])
    sync(ledger)
    ledger.events.prune(NOW + 1, retained_facts)
    score = event("e2", at=NOW + 9, body=b'{"customerSatisfaction": 4}')
    ledger.events.accept([Admission(event=score, due_at=NOW)])
    sync(ledger)
    ledger.events.prune(NOW + 10, retained_facts)
    ledger.events.accept(
        [Admission(event=event("e3"), due_at=NOW), Admission(event=event("e4", client_id=336), due_at=NOW)]
    )
    due = [ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)[0] for _ in range(2)]
    facts = {one.client_id: facts_of(one.events, one.event_facts) for one in due}
    assert (facts[335].operator_ids, facts[335].satisfaction.csat) == ((7,), 4)
    assert facts[336] == facts_of([])


def sync(ledger):
    due = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    ledger.conversations.record_sync(ledger.owner, [SyncResult(due=one, synced_at=NOW) for one in due], NOW)


@pytest.mark.parametrize("ours", ["ha", "sd"])
def test_two_platforms_may_use_one_conversation_id(ledger, event, ours):
    for platform, identity in (("ha", "e-ha"), ("sd", "e-sd")):
        admission = Admission(event=event(identity, platform=platform), due_at=NOW)
        ledger.events.accept([admission])
    due = [ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)[0] for _ in range(2)]
    (one,) = [each for each in due if each.platform == ours]
    assert [each.platform for each in one.events] == [ours]


def test_pruning_keeps_the_facts_of_each_conversation_with_it(ledger, event):
    for name, score in (("c1", 1), ("c2", 5)):
        said = event(f"e-{name}", conversation_id=name, body=b'{"customerSatisfaction": %d}' % score)
        ledger.events.accept([Admission(event=said, due_at=NOW)])
        sync(ledger)
    assert ledger.events.prune(NOW + 1, retained_facts) == 2
    for name in ("c1", "c2"):
        again = event(f"again-{name}", conversation_id=name)
        ledger.events.accept([Admission(event=again, due_at=NOW)])
    due = ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 50)
    facts = {one.conversation_id: facts_of(one.events, one.event_facts).satisfaction.csat for one in due}
    assert facts == {"c1": 1, "c2": 5}
