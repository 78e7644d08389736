"""A reading that shows less than an earlier one: who and what was delivered stays."""

from __future__ import annotations

import pytest

from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.settings.model import FieldSettings

MAPPING = {
    "contact": {"email": FieldSettings(expression="email")},
    "conversation": {
        "answered": FieldSettings(expression="conversation.answered"),
        "transcript": FieldSettings(expression="transcript"),
        "nps": FieldSettings(expression="conversation.satisfaction.nps"),
    },
}


def erased(ferry, one):
    ferry.world.erase_visitor(one)


def anonymised(ferry, one):
    ferry.world.anonymise(one)


def both(ferry, one):
    ferry.world.erase_visitor(one)
    ferry.world.anonymise(one)


def no_visitor(ferry, one):  # noqa: ARG001  (as the others)
    ferry.world.faults.switch_on("no-visitor")


def nothing_left(ferry, one):
    anonymised(ferry, one)
    no_visitor(ferry, one)


LOSSES = [erased, anonymised, both, no_visitor, nothing_left]


@pytest.fixture
def leads(ferry):
    """Every lead that the CRM was given, oldest first."""
    given = []

    def take(some):
        given.extend(some)
        return ferry.crm.take(some)

    ferry.crm.next(*[take] * 20)
    return given


@pytest.fixture
def closed(ferry):
    ferry.destination("crm", mapping=MAPPING)
    (one,) = ferry.play()
    ferry.tell_closed(one)
    return one


def rate(ferry, one, nps=0, event_id="e-nps"):
    ferry.tell(ferry.later(one, "satisfaction.answered", event_id, netPromoterScore=nps))
    ferry.run()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_late_event_leaves_a_conversation_with_its_contact(ferry, closed, leads, loss):
    ferry.run()
    loss(ferry, closed)
    rate(ferry, closed)
    first, second = leads
    assert (second.contact_key, second.email) == (first.contact_key, first.email)
    assert second.update_only
    assert not first.update_only


@pytest.mark.parametrize("loss", LOSSES)
def test_what_earlier_messages_proved_is_not_taken_back(ferry, closed, leads, loss):
    ferry.run()
    before = dict(ferry.row(closed))
    assert before["answered"] is True
    loss(ferry, closed)
    rate(ferry, closed)
    assert ferry.row(closed) == {**before, "nps": 0}
    assert len(leads) == 2


def test_only_what_iadvize_still_shows_is_written_again(ferry, closed, leads):
    ferry.run()
    both(ferry, closed)
    rate(ferry, closed)
    assert leads[1].records["contact"].values == {}
    assert leads[1].records["conversation"].values == {"nps": 0}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_reading_that_only_shows_less_delivers_nothing(ferry, closed, leads, loss):
    ferry.run()
    loss(ferry, closed)
    ferry.tell(ferry.later(closed, "v2.conversation.closed", "e-again"))
    ferry.run()
    assert len(leads) == 1


def test_a_rating_may_change_again_and_again(ferry, closed, leads):
    ferry.run()
    both(ferry, closed)
    for nps, event_id in ((3, "e-1"), (3, "e-2"), (7, "e-3")):
        rate(ferry, closed, nps, event_id)
    assert [one.records["conversation"].values.get("nps") for one in leads] == [None, 3, 7]
    assert ferry.row(closed)["answered"] is True


def test_what_is_shown_again_is_written_whole(ferry, closed, leads):
    ferry.run()
    ferry.world.faults.switch_on("no-messages")
    rate(ferry, closed, 3, "e-1")
    ferry.world.faults.switch_off()
    rate(ferry, closed, 4, "e-2")
    assert [one.update_only for one in leads] == [False, True, False]
    assert leads[2].records["conversation"].values["transcript"] == leads[0].transcript


def test_a_lead_that_was_not_delivered_yet_is_delivered_whole(ferry, closed):
    email = ferry.truth(closed).visitor["email"]
    ferry.crm.next(ConnectionError("the CRM is away"))
    ferry.run()
    both(ferry, closed)
    rate(ferry, closed)
    ferry.clock.forward(3600)
    ferry.run()
    assert ferry.row(closed)["answered"] is True
    assert ferry.row(closed)["email"] == email.lower()
    assert ferry.row(closed)["nps"] == 0


def test_without_its_content_a_delivery_stays_as_it_is(ferry, closed, leads):
    ferry.run()
    ferry.ledger.deliveries.prune(ferry.clock.now + 1)
    both(ferry, closed)
    rate(ferry, closed)
    assert len(leads) == 1
    assert ferry.state(closed) is DeliveryState.DELIVERED


def test_what_was_left_out_stays_left_out(ferry):
    ferry.destination("crm", answered=False)
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    assert ferry.state(closed) is DeliveryState.SKIPPED
    anonymised(ferry, closed)
    rate(ferry, closed)
    assert ferry.state(closed) is DeliveryState.SKIPPED
    assert not ferry.crm.calls


def test_the_first_reading_of_a_null_visitor_takes_the_id_of_the_webhook(ferry, closed, leads):
    nothing_left(ferry, closed)
    ferry.run()
    visitor = ferry.webhook(closed).facts["visitorId"]
    assert leads[0].contact_key == f"visitor:ha-335-{visitor}"


def test_a_mapping_that_breaks_on_what_is_gone_writes_nothing_over(ferry, leads):
    ferry.destination(
        "crm", mapping={"conversation": {"first": FieldSettings(expression="visitor.first_name | upper")}}
    )
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    before = dict(ferry.row(closed))
    erased(ferry, closed)
    rate(ferry, closed)
    assert ferry.row(closed) == before
    assert len(leads) == 1


def test_a_connector_that_cannot_update_alone_is_given_nothing(ferry, leads):
    ferry.limits["update_only"] = False
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    both(ferry, closed)
    rate(ferry, closed)
    assert len(leads) == 1
    assert ferry.state(closed) is DeliveryState.DELIVERED


def test_why_says_that_only_what_is_shown_is_updated(ferry, closed):
    ferry.run()
    both(ferry, closed)
    ferry.tell(ferry.later(closed, "satisfaction.answered", "e-nps", netPromoterScore=3))
    ferry.engine.sync()
    assert ferry.delivery(closed).reason.startswith("iAdvize shows less of it than before")
