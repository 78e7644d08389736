"""Zero, false and nothing on their way from iAdvize to a CRM: the first two are values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatferry.iadvize.facts import retained_facts
from chatferry.ledger.deliveries.selection import Selection
from chatferry.model import Satisfaction, Transaction
from chatferry.settings.model import FieldSettings

FIELDS = {
    "nps": "conversation.satisfaction.nps",
    "csat": "conversation.satisfaction.csat",
    "duration": "conversation.duration",
    "amount": "conversation.transactions[0].amount",
    "points": "conversation.custom_data.points",
    "share": "conversation.custom_data.share",
    "member": "conversation.custom_data.member",
    "consent": "conversation.closing_form.consent",
    "answered": "conversation.answered",
    "filtered": "conversation.satisfaction.nps | default(9) | round",
    "number": "conversation.custom_data.points | number",
    "listed": "[conversation.satisfaction.nps, conversation.custom_data.member]",
    "nothing": "conversation.custom_data.nothing",
    "blank": "conversation.custom_data.blank",
}
VALUES = {
    "nps": 0,
    "duration": 0.0,
    "amount": 0.0,
    "points": 0,
    "share": 0.0,
    "member": False,
    "consent": False,
    "answered": False,
    "filtered": 0,
    "number": 0,
    "listed": "0; False",
}


class Zero:
    """Stands between the engine and iAdvize, which shows whatever is falsy."""

    def __init__(self, client, shown):
        self.client, self.shown = client, shown

    def read(self, ids):
        for some in self.client.read(ids):
            yield {one: replace(found, **self.shown) for one, found in some.items()}

    def __getattr__(self, name):
        return getattr(self.client, name)


SHOWN = {
    "duration": 0.0,
    "messages": (),
    "transactions": (Transaction(id="t", amount=0.0),),
    "custom_data": {"points": 0, "share": 0.0, "member": False, "nothing": None, "blank": ""},
    "closing_form": {"consent": False},
}


@pytest.mark.parametrize("source", ["webhook", "webhook that was pruned", "API"])
def test_zero_and_false_arrive_and_nothing_is_left_out(ferry, source):
    fields = {name: FieldSettings(expression=expression) for name, expression in FIELDS.items()}
    ferry.destination("crm", mapping={"conversation": fields})
    shown = SHOWN | ({"satisfaction": Satisfaction(nps=0)} if source == "API" else {})
    ((key, client),) = ferry.engine.clients.items()
    ferry.engine.clients[key] = Zero(client, shown)
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    if source != "API":
        ferry.tell(ferry.later(closed, "satisfaction.answered", "e-nps", netPromoterScore=0))
    ferry.run()
    if source == "webhook that was pruned":
        assert ferry.ledger.events.prune(ferry.clock.now + 1, retained_facts) == 2
        ferry.crm.rows.clear()
        ferry.tell(ferry.later(closed, "transaction.attributed", "e-t", transactionId="u", amount=0))
        ferry.ledger.selections.reread(Selection(conversation=closed), ferry.clock.now)
        ferry.run()
    row = {name: value for name, value in ferry.row(closed).items() if name in FIELDS}
    assert row == VALUES
    assert {name: type(value) for name, value in row.items()} == {n: type(v) for n, v in VALUES.items()}


def test_a_rating_that_becomes_zero_is_delivered_again(ferry):
    fields = {"nps": FieldSettings(expression="conversation.satisfaction.nps", clear=True)}
    ferry.destination("crm", mapping={"conversation": fields})
    (closed,) = ferry.play()
    ferry.tell_closed(closed)
    ferry.run()
    assert ferry.row(closed)["nps"] is None
    for event_id, score in (("e-1", 7), ("e-2", 0)):
        ferry.clock.forward(60)
        ferry.tell(ferry.later(closed, "satisfaction.answered", event_id, netPromoterScore=score))
        ferry.run()
        assert ferry.row(closed)["nps"] == score
