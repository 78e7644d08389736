from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from chatferry.iadvize.facts import enrich, facts_of, retained_facts
from chatferry.model import Conversation, Event, Satisfaction, Transaction

START = datetime(2026, 11, 22, 9, tzinfo=UTC)


def event(number: int, **body: object) -> Event:
    said = START + timedelta(minutes=number)
    return Event(
        event_id=f"e{number}",
        event_type="any",
        platform="ha",
        occurred_at=said,
        received_at=START + timedelta(hours=1),
        body=json.dumps(body).encode(),
    )


EVENTS = [
    event(0, operatorId=7),
    event(1, operatorIds=[7, 9]),
    event(2, customerSatisfaction=2),
    event(3, customerSatisfaction=5),
    event(4, satisfactionComment="Merci ☕"),
    event(5, transactionId="t1", amount=300.2, externalId="order-1", receivedAt="2017-04-22T11:01:00+02:00"),
]


def test_the_facts_are_the_same_in_whatever_order_the_events_arrived():
    expected = facts_of(EVENTS)
    assert expected.operator_ids == (7, 9)
    assert expected.satisfaction == Satisfaction(csat=5, comment="Merci ☕")
    assert expected.transactions == (
        Transaction(id="t1", external_id="order-1", amount=300.2, at=datetime(2017, 4, 22, 9, 1, tzinfo=UTC)),
    )
    assert all(facts_of(order) == expected for order in itertools.permutations(EVENTS))


@pytest.mark.parametrize(
    "body",
    [
        {"customerSatisfaction": None},
        {"customerSatisfaction": "5"},
        {"netPromoterScore": True},
        {"satisfactionComment": "  "},
        {"operatorIds": ["x", None]},
        {"operatorId": True},
        {"transactionId": None, "amount": 3},
        {"customerSatisfaction": 10**30},
    ],
)
def test_what_is_no_fact_adds_nothing(body):
    assert facts_of([event(0, **body)]) == facts_of([])


def test_what_was_read_wins_over_what_was_told():
    read = Conversation(
        id="c",
        platform="ha",
        client_id=335,
        operator_ids=(3,),
        satisfaction=Satisfaction(nps=10, csat=1),
        transactions=(Transaction(id="t1", amount=1.0),),
    )
    both = enrich(read, facts_of(EVENTS))
    assert both.satisfaction == Satisfaction(csat=1, nps=10, comment="Merci ☕")
    assert both.operator_ids == (3, 7, 9)
    assert both.transactions == read.transactions


def test_what_no_database_holds_is_left_out_or_replaced():
    facts = facts_of(
        [
            event(0, transactionId="t1", amount=10**400),
            event(1, transactionId="t2", amount=1e308),
            event(2, satisfactionComment="tr\0ès \ud83d"),
        ]
    )
    assert [one.amount for one in facts.transactions] == [None, None]
    assert facts.satisfaction.comment == "très \ufffd"


def test_events_that_are_gone_leave_the_same_facts_behind_whichever_they_were():
    expected = facts_of(EVENTS)
    for gone in itertools.product((0, 1, 2), repeat=len(EVENTS)):
        by_turn = [[event for event, turn in zip(EVENTS, gone, strict=True) if turn == n] for n in range(3)]
        told = retained_facts(by_turn[2], retained_facts(by_turn[1]))
        assert facts_of(by_turn[0], told) == expected


def test_events_that_tell_nothing_leave_nothing_behind():
    assert retained_facts([event(0, conversationId="c1", operatorIds=[], satisfactionComment=None)]) is None
