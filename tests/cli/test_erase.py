from __future__ import annotations

import pytest


@pytest.fixture
def delivered(shop, history):
    """Six delivered conversations, and a visitor's comment on the second."""
    shop.hear(history.ids[1], "satisfaction.answered", satisfactionComment="kumquat marmalade")
    shop.find_history()
    shop.work()
    return shop


def dump(shop) -> bytes:
    """Return all the ledger's files hold, what was overwritten in them left out."""
    with shop.ledger.database.engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            for table in ("events", "conversations", "deliveries")
        ]
    return repr(found).encode()


def test_a_person_is_gone_from_the_crm_and_the_ledger(delivered, history):
    key = f"ha-335-{history.ids[1]}"
    email = history.truth(history.ids[1]).email
    assert email.encode() in dump(delivered)
    result = delivered.json("erase", history.ids[1], "--yes")
    assert result["erased"] == {"sales": 1}
    assert result["kept"] == []
    assert key not in delivered.conversations()
    assert not [row for row in delivered.crm.tables["contact"].values() if row.key == email]
    assert email.encode() not in dump(delivered)
    assert b"kumquat" not in dump(delivered)


def test_the_others_stay(delivered, history):
    delivered.json("erase", history.ids[1], "--yes")
    assert len(delivered.conversations()) == 5
    assert delivered.json("status")["destinations"][0]["deliveries"]["delivered"] == 5


def test_a_later_event_does_not_bring_an_erased_person_back(delivered, history):
    delivered.json("erase", history.ids[1], "--yes")
    delivered.hear(history.ids[1])
    delivered.hear(history.ids[1], "satisfaction.answered", customerSatisfaction=5)
    delivered.find_history()
    delivered.work()
    delivered.json("retry", "--conversation", history.ids[1], "--resync", "--yes")
    delivered.work()
    refused = delivered.run("retry", "--conversation", history.ids[1], "--yes")
    assert "it was erased, and stays so" in refused.stdout
    assert f"ha-335-{history.ids[1]}" not in delivered.conversations()
    (journey,) = delivered.json("why", history.ids[1])[0]["destinations"]
    assert (journey["state"], journey["reason"]) == ("discarded", "erased")


def test_a_destination_that_is_new_does_not_get_an_erased_person(open_shop, history):
    shop = open_shop()
    shop.find_history()
    shop.work()
    shop.json("erase", history.ids[1], "--yes")
    grown = open_shop('[destinations.archive]\nconnector = "ledge"\nlinger = 0\n')
    grown.hear(history.ids[0])
    grown.hear(history.ids[1])
    grown.work()
    assert grown.conversations("ledge") == [f"ha-335-{history.ids[0]}"]


def test_every_conversation_of_an_address_is_erased(delivered, history):
    email = history.truth(history.ids[1]).email
    mine = [one for one in history.ids if history.truth(one).email == email]
    result = delivered.json("erase", "--email", email.upper(), "--yes")
    assert result["conversations"] == len(mine)
    assert len(delivered.conversations()) == 6 - len(mine)


def test_a_conversation_that_was_never_delivered_anywhere_is_erased_before_it_is(shop, history):
    shop.find_history()
    shop.json("erase", history.ids[1], "--yes")
    shop.work()
    assert len(shop.conversations()) == 5
    shop.find_history()
    shop.hear(history.ids[1])
    shop.work()
    assert f"ha-335-{history.ids[1]}" not in shop.conversations()


def test_a_connector_that_cannot_erase_is_reported_and_asked_again_next_time(open_archive, history):
    shop = open_archive
    shop.find_history()
    shop.work()
    result = shop.run("erase", history.ids[1], "--yes")
    assert result.exit_code == 1
    assert "sales: the records of 1 erased" in result.stdout
    assert "archive: the records of 1 are still there: its connector cannot erase" in result.stdout
    assert "chatferry erase" in shop.run("why", history.ids[1]).stdout
    again = shop.json("erase", "--email", history.truth(history.ids[1]).email, "--yes")
    assert again["erased"] == {}
    assert [kept["destination"] for kept in again["kept"]] == ["archive"]


def test_one_destination_can_be_cleared_and_the_other_goes_on(open_archive, history):
    shop = open_archive
    shop.find_history()
    shop.work()
    shop.json("erase", history.ids[1], "--destination", "sales", "--yes")
    assert len(shop.conversations("shelf")) == 5
    assert len(shop.conversations("ledge")) == 6
    shop.hear(history.ids[1], "satisfaction.answered", satisfactionComment="fine")
    shop.work()
    assert len(shop.conversations("shelf")) == 5


def test_a_batch_on_its_way_is_waited_for(delivered, history):
    """Its receipt, not here yet, would name records that are never erased."""
    engine = delivered.engine
    engine.ledger.destinations.take("sales", "another owner", engine.clock(), engine.clock() + 0.3)
    assert delivered.json("erase", history.ids[1], "--yes")["erased"] == {"sales": 1}


def test_an_erasure_asks_first(delivered, history):
    result = delivered.run("erase", history.ids[1], answer="n\n")
    assert "Erase 1 conversation everywhere, for ever?" in result.stderr
    assert len(delivered.conversations()) == 6


def test_an_erasure_needs_one_person_that_is_known(delivered):
    assert delivered.run("erase", "--yes").exit_code == 2
    assert delivered.run("erase", "x", "--email", "y@example.org").exit_code == 2
    assert "nothing was erased" in str(delivered.run("erase", "x", "--yes").exception)
    assert delivered.run("erase", "x", "--destination", "sails").exit_code == 2
