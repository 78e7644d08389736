from __future__ import annotations

from chatferry.testing.trouble import Trouble


def test_a_paused_destination_gets_nothing_until_it_is_resumed(shop):
    assert "paused" in shop.run("destinations", "pause", "sales", "--reason", "a migration").stdout
    shop.find_history()
    shop.work()
    assert shop.conversations() == []
    assert shop.run("destinations", "resume", "sales").exit_code == 0
    shop.work()
    assert len(shop.conversations()) == 6


def test_resuming_delivers_at_once_what_waited_for_the_crm(open_shop):
    shop = open_shop()
    shop.crm.switch_on(Trouble.TOO_FAST, 1, None)
    shop.find_history()
    shop.work()
    assert shop.json("status")["destinations"][0]["paused"]["as"] == "backing-off"
    assert shop.json("destinations", "resume", "sales")["due_now"] == 6
    shop.work()
    assert len(shop.conversations()) == 6


def test_a_destination_that_is_not_configured_is_refused(shop):
    result = shop.run("destinations", "resume", "sails")
    assert result.exit_code == 2
    assert 'there is no destination "sails"; there are: sales' in result.stderr


def test_pausing_needs_a_reason(shop):
    assert shop.run("destinations", "pause", "sales").exit_code == 2
