from __future__ import annotations

import pytest

from chatferry.testing.trouble import Trouble


@pytest.fixture
def with_dead(shop):
    """Six deliveries, two of them dead: the CRM works again since."""
    shop.crm.switch_on(Trouble.RECORD_REFUSED, 2, None)
    shop.find_history()
    shop.work()
    return shop


def ids(shop, *filters: str) -> list[int]:
    return [one["id"] for one in shop.json("deliveries", *filters)["deliveries"]]


def states(shop) -> dict[str, int]:
    return {
        state: count for state, count in shop.json("status")["destinations"][0]["deliveries"].items() if count
    }


def test_deliveries_are_listed_newest_first_and_limited(with_dead):
    assert ids(with_dead) == [6, 5, 4, 3, 2, 1]
    assert with_dead.json("deliveries", "--limit", "2")["total"] == 6
    assert "2 of 6" in with_dead.run("deliveries", "--limit", "2").stdout


def test_every_filter_narrows_the_list(with_dead):
    (one,) = with_dead.json("deliveries", "--limit", "1")["deliveries"]
    email = with_dead.json("why", one["key"])[0]["destinations"][0]["email"]
    assert len(ids(with_dead, "--state", "dead")) == 2
    assert len(ids(with_dead, "--state", "dead", "--state", "delivered")) == 6
    assert (
        'there is no destination "nowhere"; there are: sales'
        in with_dead.run("deliveries", "--destination", "nowhere").stderr
    )
    assert 0 < len(ids(with_dead, "--project", str(one["project_id"]))) < 6
    assert one["id"] in ids(with_dead, "--email", email.upper())
    assert ids(with_dead, "--conversation", one["conversation_id"]) == [one["id"]]
    assert ids(with_dead, "--conversation", one["key"]) == [one["id"]]
    assert len(ids(with_dead, "--cause", "was REFUSED")) == 2
    assert ids(with_dead, "--cause", "r%d") == []


def test_the_list_shows_no_personal_data(with_dead):
    assert "@" not in with_dead.run("deliveries").output
    assert "@" not in with_dead.run("deliveries", "--output", "json").output


def test_what_is_dead_is_delivered_after_a_retry(with_dead):
    assert with_dead.json("retry", "--all-dead", "--yes") == {"queued": 2, "refused": {}, "missing": 0}
    with_dead.work()
    assert states(with_dead) == {"delivered": 6}
    assert len(with_dead.conversations()) == 6


def test_a_retry_asks_first_and_says_how_many(with_dead):
    result = with_dead.run("retry", "--cause", "refused", answer="n\n")
    assert "Retry 2 deliveries?" in result.stderr
    assert result.exit_code == 1
    assert states(with_dead)["dead"] == 2


def test_one_delivery_can_be_retried_by_its_number(with_dead):
    (chosen, _) = ids(with_dead, "--state", "dead")
    assert "1 queued again" in with_dead.run("retry", str(chosen), "--yes").stdout
    assert states(with_dead) == {"dead": 1, "due": 1, "delivered": 4}


def test_numbers_that_match_no_delivery_are_reported(with_dead):
    result = with_dead.run("retry", "99", "--yes")
    assert result.exit_code == 1
    assert "1 of the numbers" in result.stdout


def test_a_retry_without_a_choice_is_refused(with_dead):
    result = with_dead.run("retry", "--yes")
    assert result.exit_code == 2
    assert "say which" in result.stderr


def test_what_is_delivered_is_not_retried_but_can_be_read_again(with_dead):
    delivered = ids(with_dead, "--state", "delivered")[0]
    result = with_dead.run("retry", str(delivered), "--yes")
    assert "--resync reads any again" in result.stdout
    assert with_dead.json("retry", str(delivered), "--resync", "--yes") == {"conversations": 1}
    assert with_dead.json("status")["reading"]["waiting"] == 1
    with_dead.work()
    assert states(with_dead) == {"dead": 2, "delivered": 4}


def test_a_resync_revives_what_is_dead_with_what_iadvize_says_now(with_dead):
    with_dead.json("retry", "--all-dead", "--resync", "--yes")
    with_dead.work()
    assert states(with_dead) == {"delivered": 6}


def test_a_discarded_delivery_stays_discarded_after_later_events(with_dead):
    result = with_dead.json("discard", "--state", "dead", "--reason", "a test account", "--yes")
    assert result == {"discarded": 2, "missing": 0}
    with_dead.find_history()
    with_dead.work()
    assert states(with_dead) == {"delivered": 4, "discarded": 2}
    assert len(ids(with_dead, "--cause", "test account")) == 2


def test_what_was_discarded_can_be_retried_and_what_is_delivered_is_not_discarded(with_dead):
    with_dead.run("discard", "--state", "dead", "--yes")
    assert with_dead.json("discard", "--state", "delivered", "--yes")["discarded"] == 0
    with_dead.json("retry", "--state", "discarded", "--yes")
    with_dead.work()
    assert states(with_dead) == {"delivered": 6}


def test_a_discard_of_numbers_fails_if_one_of_them_was_not_discarded(with_dead):
    delivered = with_dead.json("deliveries", "--state", "delivered")["deliveries"][0]["id"]
    dead = with_dead.json("deliveries", "--state", "dead")["deliveries"][0]["id"]
    result = with_dead.run("discard", str(delivered), str(dead), "--yes")
    assert result.exit_code == 1
    assert "1 discarded" in result.stdout
    assert "1 are not due, dead or parked any more" in result.stdout
    result = with_dead.run("discard", "4711", "--yes")
    assert (result.exit_code, "1 of the numbers match no delivery" in result.stdout) == (1, True)


def test_a_discard_by_filters_that_match_nothing_has_nothing_to_do(with_dead):
    result = with_dead.run("discard", "--cause", "no such thing", "--yes")
    assert (result.exit_code, result.stdout) == (0, "0 discarded\n")
