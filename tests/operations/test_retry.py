from __future__ import annotations

import pytest

from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.operations.retry import revive
from chatferry.testing.trouble import Trouble

EVERYTHING = Selection()
DEAD = Selection(states=(DeliveryState.DEAD,))


@pytest.fixture
def dead(shop):
    """Six leads a CRM refused; it is mended now."""
    shop.crm.switch_on(Trouble.RECORD_REFUSED, 6, None)
    shop.find_history()
    shop.work()
    return shop


def states(shop):
    return {one.state for one in shop.ledger.selections.list(EVERYTHING)}


def test_dead_leads_are_due_again_and_looked_at_one_by_one(dead):
    steps = []
    report = revive(dead.engine, DEAD, step=lambda: steps.append(1))
    assert report.revived == len(steps) == 6
    assert states(dead) == {DeliveryState.DUE}
    dead.work()
    assert states(dead) == {DeliveryState.DELIVERED}


def test_they_are_mapped_by_the_present_configuration(dead):
    text = dead.config.read_text()
    fields = "Name = \"'Ltd ' ~ visitor.id\"\nCompany = \"'unknown'\"\n"
    dead.config.write_text(f"{text}[destinations.sales.contact]\n{fields}")
    revive(dead.workspace().engine, DEAD)
    dead.work()
    assert {row.fields["Name"][:4] for row in dead.crm.tables["contact"].values()} == {"Ltd "}


def test_a_mapping_that_still_fails_refuses_the_lead_and_says_where(dead):
    text = dead.config.read_text()
    dead.config.write_text(f'{text}[destinations.sales.contact]\nName = "visitor.id | round"\n')
    report = revive(dead.workspace().engine, DEAD)
    assert report.revived == 0
    assert len(report.refused) == 6
    assert all("Name" in reason for reason in report.refused.values())
    assert states(dead) == {DeliveryState.DEAD}


def test_a_destination_that_is_gone_is_told(dead):
    text = dead.config.read_text()
    dead.config.write_text(text.replace("[destinations.sales]", "[destinations.care]"))
    report = revive(dead.workspace().engine, DEAD)
    assert set(report.refused.values()) == {"there is no destination sales any more"}


def test_what_is_delivered_or_due_is_left_alone(shop):
    shop.find_history()
    shop.engine.sync()
    assert revive(shop.engine, EVERYTHING).revived == 0
    shop.work()
    assert revive(shop.engine, EVERYTHING).revived == 0


def test_a_lead_whose_content_was_pruned_says_how_to_get_it_back(dead):
    dead.ledger.selections.discard(DEAD, "given up")
    dead.ledger.deliveries.prune(before=9e9)
    report = revive(dead.engine, EVERYTHING)
    assert report.revived == 0
    assert all("--resync" in reason for reason in report.refused.values())


def test_newer_content_wins_over_a_retry(dead):
    (listed, *_) = dead.ledger.selections.list(DEAD)
    dead.ledger.selections.reread(Selection(ids=(listed.id,)), 0.0)
    dead.engine.sync()
    assert revive(dead.engine, Selection(ids=(listed.id,))).revived == 0
    dead.work()
    assert dead.conversations() == [listed.key]
