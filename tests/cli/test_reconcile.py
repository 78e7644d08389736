from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatferry.emulators.iadvize.world import HISTORY_START
from chatferry.errors import PlatformError

SINCE = datetime.fromtimestamp(HISTORY_START - 60, UTC).isoformat()


def test_what_closed_in_a_period_is_found_and_what_is_missing_is_read(shop):
    found = shop.json("reconcile", "--since", SINCE)
    (client,) = found["clients"]
    assert client == {
        "platform": "ha",
        "client_id": 335,
        "found": 6,
        "missing": 6,
        "pages_lead_nowhere": False,
    }
    assert found["on_their_way"] is None
    shop.work()
    assert len(shop.conversations()) == 6
    assert shop.json("reconcile", "--since", SINCE)["clients"][0]["missing"] == 0


def test_a_period_ends_at_until(shop):
    until = datetime.fromtimestamp(HISTORY_START + 100, UTC).isoformat()
    assert shop.json("reconcile", "--since", SINCE, "--until", until)["clients"][0]["found"] == 2


def test_it_can_do_the_work_itself(shop):
    result = shop.run("reconcile", "--since", SINCE, "--work")
    assert result.exit_code == 0, result.output
    assert "all are read and delivered" in result.stdout
    assert len(shop.conversations()) == 6


def test_waiting_without_a_worker_times_out_and_says_what_is_left(shop):
    result = shop.run("reconcile", "--since", SINCE, "--wait", "--timeout", "0.3s")
    assert result.exit_code == 1
    assert "still on their way: 6 to read, 0 to deliver" in result.stdout


def test_an_interrupted_one_is_resumed(shop, history):
    history.faults.switch_on("graphql-refused")
    broken = shop.run("reconcile", "--since", SINCE)
    assert isinstance(broken.exception, PlatformError)
    history.faults.switch_off()
    resumed = shop.json("reconcile", "--resume")
    assert resumed["clients"][0]["missing"] == 6
    nothing = shop.run("reconcile", "--resume")
    assert nothing.exit_code == 2
    assert "no reconcile was interrupted" in nothing.stderr


def test_a_backfill_waits_behind_live_traffic(shop, history):
    shop.json("backfill", "--since", SINCE)
    shop.hear(history.ids[3])
    first, second = shop.ledger.conversations.lease(shop.ledger.owner, shop.engine.clock(), 9e9, 2)
    assert first.conversation_id == history.ids[3]
    assert (first.is_backfill, second.is_backfill) == (0, 1)


@pytest.mark.parametrize("since", ["soon", "2026-13-01", "20261101", ""])
def test_a_time_that_is_none_is_refused(shop, since):
    result = shop.run("reconcile", "--since", since)
    assert result.exit_code == 2


def test_a_period_must_begin_and_begin_before_it_ends(shop):
    assert "say since when" in shop.run("reconcile").stderr
    result = shop.run("reconcile", "--since", "2026-11-02", "--until", "2026-11-01")
    assert "--since is not before --until" in result.stderr


def test_ages_count_back_from_now(shop):
    found = shop.json("reconcile", "--since", "2d")
    span = datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["since"])
    assert round(span.total_seconds() / 3600) == 48
