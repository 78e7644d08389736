from __future__ import annotations


def listed(shop):
    (one,) = shop.json("deliveries", "--limit", "1")["deliveries"]
    return one


def test_nothing_young_is_pruned(shop):
    shop.find_history()
    shop.work()
    assert shop.json("prune") == {"events": 0, "leads": 0}


def test_what_is_delivered_loses_its_content_and_keeps_what_the_crm_said(shop):
    shop.find_history()
    shop.work()
    assert shop.json("prune", "--leads-days", "0") == {"events": 0, "leads": 6}
    (story,) = shop.json("why", listed(shop)["key"])
    (journey,) = story["destinations"]
    assert journey["records"] is None
    assert journey["email"] is None
    assert journey["receipt"]["ids"]
    assert shop.json("prune", "--leads-days", "0")["leads"] == 0


def test_what_is_still_to_be_delivered_is_kept(shop):
    shop.find_history()
    shop.engine.sync()
    assert "content of 0 leads" in shop.run("prune", "--leads-days", "0", "--events-days", "0").stdout
    shop.work()
    assert len(shop.conversations()) == 6


def test_a_pruned_lead_is_not_delivered_again_by_a_later_event(shop):
    shop.find_history()
    shop.work()
    shop.run("prune", "--leads-days", "0")
    shop.json("retry", "--state", "delivered", "--resync", "--yes")
    shop.work()
    assert len(shop.conversations()) == 6


def test_discarded_leads_are_pruned_and_dead_ones_kept(shop):
    shop.find_history()
    shop.engine.sync()
    shop.json("discard", "--state", "due", "--yes")
    assert shop.json("prune", "--leads-days", "0")["leads"] == 6


def test_the_configuration_says_how_long(open_shop):
    shop = open_shop("[retention]\nleads_days = 0\n")
    shop.find_history()
    shop.work()
    assert shop.json("prune")["leads"] == 0
