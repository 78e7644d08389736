"""A conversation that iAdvize does not give: when it is asked for again, and whose failure that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from chatferry import schedule
from chatferry.errors import (
    ConversationNotReady,
    PlatformAuthFailure,
    PlatformAway,
    PlatformRefused,
    PlatformUnavailable,
)
from chatferry.ledger.conversations import DueConversation
from chatferry.model import Conversation, Visitor
from chatferry.settings.model import LiveSettings, RetrySettings
from chatferry.sync.reading import Reader

NOW = 1_700_000_000.0
RETRY = RetrySettings(first=2.0, longest=64.0, give_up_after=600.0)


@pytest.fixture
def reader():
    return Reader(
        settings=SimpleNamespace(retry=RETRY, live=LiveSettings()), destinations={}, veto=lambda *_: None
    )


def due(**changes):
    values = {
        "id": 1,
        "platform": "ha",
        "client_id": 335,
        "conversation_id": "c1",
        "project_id": 1549,
        "visitor_id": None,
        "first_seen_at": NOW,
        "close_announced_at": None,
        "closed_at": None,
        "synced_at": None,
        "generation": 1,
        "attempts": 5,
        "is_backfill": 0,
        "lease": 1,
    }
    return DueConversation(**values | changes)


def test_refused_credentials_are_looked_at_every_five_minutes_and_count_for_no_conversation(reader):
    result = reader.result_of(due(), PlatformAuthFailure("check the user"), NOW)
    assert result.due.attempts == 4  # the lease has counted one
    assert result.due_at == NOW + 300
    assert result.problem.endswith("check the user")


def test_a_conversation_of_a_client_that_is_away_is_due_at_once_and_counts_nothing(reader):
    result = reader.result_of(due(), PlatformAway("away"), NOW)
    assert (result.due.attempts, result.due_at) == (4, NOW)


def test_the_waits_of_one_that_iadvize_fails_on_grow_and_never_beyond_the_longest(reader):
    def longest(attempts):
        error = PlatformUnavailable("HTTP 500")
        return max(reader.result_of(due(attempts=attempts), error, NOW).due_at - NOW for _ in range(300))

    assert 2.0 < longest(0) <= 4.0
    assert 4.0 < longest(1) <= 8.0
    assert 8.0 < longest(2) <= 16.0
    assert longest(40) <= 64.0


def test_an_outage_however_long_does_not_look_like_the_failures_of_one_conversation(reader):
    attempts = 0
    for _ in range(50):
        leased = due(attempts=attempts + 1)  # as a lease counts
        attempts = reader.result_of(leased, PlatformUnavailable("HTTP 500"), NOW).due.attempts
    assert attempts <= schedule.counted(0, RETRY) + 5
    old = due(attempts=attempts + 1, first_seen_at=NOW - 10_000)
    assert reader.result_of(old, PlatformUnavailable("HTTP 500"), NOW).due_at is not None


def test_what_is_not_there_yet_is_asked_for_after_2_10_and_60_seconds(reader):
    waits = [
        reader.result_of(due(attempts=attempts), ConversationNotReady("not yet"), NOW).due_at - NOW
        for attempts in range(3)
    ]
    assert waits == [2, 10, 60]


@pytest.mark.parametrize("error", [ConversationNotReady("not yet"), PlatformRefused("no")])
def test_an_old_one_is_given_up_once_its_own_failures_lasted_long_enough(reader, error):
    worn = next(attempts for attempts in range(100) if schedule.is_worn_out(attempts, RETRY))
    old = {"first_seen_at": NOW - 601}
    assert reader.result_of(due(attempts=worn, **old), error, NOW).due_at is None
    assert reader.result_of(due(attempts=worn - 1, **old), error, NOW).due_at is not None
    assert reader.result_of(due(attempts=worn), error, NOW).due_at is not None


def conversation(**changes):
    made = Conversation(id="c1", platform="ha", client_id=335, closed_at=datetime.fromtimestamp(NOW, UTC))
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("visitor", "kept"), [("web-1", "web-1"), ("x" * 128, "x" * 128), ("x" * 129, None), (None, None)]
)
def test_a_visitors_id_is_kept_if_an_event_can_name_it(reader, visitor, kept):
    read = conversation(visitor=Visitor(id=visitor))
    assert reader.result_of(due(), read, NOW).visitor_id == kept


def test_the_readings_that_count_for_a_close_begin_anew_with_its_announcement(reader):
    """Those from before say nothing of a close that was announced only now."""
    running = conversation(closed_at=None)
    before = due(synced_at=NOW - 100, close_announced_at=NOW - 10, attempts=50)
    result = reader.result_of(before, running, NOW)
    assert (result.due.attempts, result.synced_at, result.due_at) == (0, NOW, NOW + 2)
    since = due(synced_at=NOW - 9, close_announced_at=NOW - 10, attempts=3)
    result = reader.result_of(since, running, NOW)
    assert (result.due.attempts, result.synced_at) == (3, NOW - 9)


def test_a_close_that_was_waited_for_long_enough_is_taken_from_its_announcement(reader):
    announced = NOW - 2 * schedule.WAITED_FOR_CLOSE
    worn = due(
        synced_at=announced,
        close_announced_at=announced,
        attempts=schedule.GIVE_UP_WAITING_FOR_CLOSE,
    )
    result = reader.result_of(worn, conversation(closed_at=None), NOW)
    assert result.closed_at == pytest.approx(announced, abs=timedelta(seconds=1).total_seconds())
    sooner = replace(worn, attempts=schedule.GIVE_UP_WAITING_FOR_CLOSE - 1)
    assert reader.result_of(sooner, conversation(closed_at=None), NOW).closed_at is None
