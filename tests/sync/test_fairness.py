from __future__ import annotations

import pytest

from chatferry.ledger.sync_requests import SyncRequest
from chatferry.sync.fairness import Fairness

NOW = 1_700_000_000.0
SLOW, QUICK = ("ha", 335), ("sd", 336)


@pytest.fixture
def lease(ledger):
    """Two conversations of a client that waits longest, one of another; leased one at a time."""
    marks = [(SLOW, "c1", NOW - 9), (SLOW, "c2", NOW - 8), (QUICK, "c3", NOW)]
    ledger.conversations.request_sync(
        [
            SyncRequest(platform=platform, client_id=number, conversation_id=one, seen_at=at, due_at=at)
            for (platform, number), one, at in marks
        ]
    )
    return lambda busy: ledger.conversations.lease(ledger.owner, NOW, NOW + 60, 1, but=busy)


def ids(due):
    return [one.conversation_id for one in due]


def test_a_client_with_as_many_readings_as_it_may_have_lets_the_others_pass(lease):
    fairness = Fairness(1)
    with fairness.reading(lease) as first, fairness.reading(lease) as second:
        assert (ids(first), ids(second)) == (["c1"], ["c3"])
        with fairness.reading(lease) as third:
            assert ids(third) == []
    with fairness.reading(lease) as fourth:
        assert ids(fourth) == ["c2"]


def test_the_conversation_that_waits_longest_comes_first_while_there_is_room(lease):
    fairness = Fairness(2)
    with fairness.reading(lease) as first, fairness.reading(lease) as second:
        assert (ids(first), ids(second)) == (["c1"], ["c2"])


def test_a_reading_that_fails_has_ended(lease):
    fairness = Fairness(1)
    with pytest.raises(ZeroDivisionError), fairness.reading(lease):
        raise ZeroDivisionError
    with fairness.reading(lease) as due:
        assert ids(due) == ["c2"]


def test_what_is_being_read_is_known_while_it_is(lease):
    fairness = Fairness(2)
    with fairness.reading(lease) as first, fairness.reading(lease) as second:
        assert fairness.in_progress == [first[0].id, second[0].id]
    assert fairness.in_progress == []
