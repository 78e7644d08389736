"""Whatever the order, and however often each arrives: the same events end in the same CRM state."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatferry.emulators.iadvize.webhooks import Webhook
from chatferry.ledger import Ledger

EVENTS = 9


@pytest.fixture
def recorded(ferry):
    """The events of one conversation, and what the CRM holds after they came in order, each once."""
    (one,) = ferry.play()
    webhooks = [
        ferry.webhook(one, "v2.conversation.pushed"),
        ferry.webhook(one),
        # Their ids do not sort in the order said: a click is newer by its date alone.
        ferry.later(one, "satisfaction.answered", "e-csat-z", customerSatisfaction=2),
        changed_mind(ferry.later(one, "satisfaction.answered", "e-csat-a", customerSatisfaction=5)),
        ferry.later(one, "satisfaction.answered", "e-nps", netPromoterScore=9),
        ferry.later(one, "transaction.attributed", "e-t1", transactionId="t-1", amount=10),
        ferry.later(one, "transaction.attributed", "e-t2", transactionId="t-2", amount=20),
        visitor_updated(ferry, one, "e-visitor"),
        visitor_updated(ferry, one, "e-visitor-2"),
    ]
    assert len(webhooks) == EVENTS
    for event in webhooks[:-1]:
        ferry.tell(event)
        ferry.run()
    ferry.tell(webhooks[-1])
    assert ferry.engine.sync() == 1  # an event about the visitor has the conversation read again
    ferry.run()
    assert ferry.row(one)["csat"] == 5
    assert ferry.row(one)["transactions"] == 2
    return webhooks, dict(ferry.crm.rows)


def changed_mind(click: Webhook) -> Webhook:
    """The same question answered again, a minute later: this is the answer that counts."""
    return replace(click, at=click.at + 60)


def visitor_updated(ferry, conversation_id: str, event_id: str) -> Webhook:
    """An event about the visitor, who is known once the conversation was read."""
    closed = ferry.webhook(conversation_id)
    return Webhook(
        event_id=event_id,
        event_type="visitor.updated",
        platform=closed.platform,
        client_id=closed.client_id,
        at=closed.at + 90,
        facts={"clientId": closed.client_id, "visitorId": ferry.truth(conversation_id).visitor_id},
    )


orders = st.lists(st.integers(0, EVENTS - 1), max_size=EVENTS).flatmap(
    lambda again: st.permutations([*range(EVENTS), *again])
)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=orders, runs=st.sets(st.integers(0, 2 * EVENTS)))
def test_every_order_of_events_ends_in_the_same_crm_state(ferry, recorded, tmp_path_factory, order, runs):
    webhooks, expected = recorded
    ledger = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('again') / 'ledger.db'}")
    engine = ferry.another(ledger)
    ferry.crm.rows.clear()
    try:
        for place, number in enumerate(order):
            ferry.clock.forward(7)  # when it arrives says nothing of when it was said
            ferry.tell_to(engine, webhooks[number])
            if place in runs:
                ferry.run(engine)
        ferry.clock.forward(2 * 3600)  # a beginning waits; all the rest is due at once
        ferry.run(engine)
        ((key, row),) = ferry.crm.rows.items()
        assert {name: row.get(name) for name in expected[key]} == expected[key]
        assert row.keys() == expected[key].keys()
    finally:
        ferry.engines.remove(engine)
        engine.close()
