from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chatferry.iadvize.facts import enrich, facts_of, retained_facts
from chatferry.iadvize.ratings import note_shown
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


def test_when_an_event_arrived_and_what_it_is_called_says_nothing_of_when_it_was_said():
    expected = facts_of(EVENTS)
    for order in itertools.permutations(EVENTS):
        arrived = [
            replace(
                one,
                event_id=f"e{9 - int(one.event_id[1:])}",
                received_at=START + timedelta(hours=1, seconds=place),
            )
            for place, one in enumerate(order)
        ]
        assert facts_of(arrived) == expected


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


def test_what_was_read_wins_over_what_was_told_but_over_ratings():
    read = Conversation(
        id="c",
        platform="ha",
        client_id=335,
        operator_ids=(3,),
        satisfaction=Satisfaction(nps=10, csat=1),
        transactions=(Transaction(id="t1", amount=1.0),),
    )
    both = enrich(read, facts_of(EVENTS))
    assert both.satisfaction == Satisfaction(csat=5, nps=10, comment="Merci ☕")
    assert both.operator_ids == (3, 7, 9)
    assert both.transactions == read.transactions


def rated(*steps: Satisfaction | Event | tuple[int, Satisfaction]) -> Satisfaction:
    """Return what a conversation is rated at the end, of events and readings at minutes after the start."""
    told: list[Event] = []
    kept, read_at, found = None, None, Satisfaction()
    for step in steps:
        if isinstance(step, Event):
            told.append(step)
            continue
        minute, shown = step
        conversation = Conversation(id="c", platform="ha", client_id=335, satisfaction=shown)
        kept = note_shown(kept, shown, read_at)
        found = enrich(conversation, facts_of(told, kept)).satisfaction
        assert enrich(conversation, facts_of([], retained_facts(told, kept))).satisfaction == found
        read_at = (START + timedelta(minutes=minute)).timestamp()
    return found


CSAT_2, CSAT_5, NOTHING = Satisfaction(csat=2), Satisfaction(csat=5), Satisfaction()
BOTH = Satisfaction(csat=2, nps=0)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # The API lags behind the webhook, once and for ever.
        ([event(1, customerSatisfaction=5), (2, CSAT_2)], CSAT_5),
        ([(1, CSAT_2), event(2, customerSatisfaction=5), (3, CSAT_2)], CSAT_5),
        ([(1, CSAT_2), event(2, customerSatisfaction=5), (3, CSAT_2), (9, CSAT_2)], CSAT_5),
        ([(1, NOTHING), event(2, customerSatisfaction=5), (3, CSAT_2), (9, CSAT_2)], CSAT_5),
        # A later webhook was lost: the API shows something new since.
        ([event(1, customerSatisfaction=2), (2, CSAT_2), (9, CSAT_5)], CSAT_5),
        ([event(1, customerSatisfaction=2), (2, NOTHING), (9, CSAT_5)], CSAT_5),
        ([event(1, customerSatisfaction=2), (2, CSAT_2), (8, CSAT_5), (9, CSAT_2)], CSAT_2),
        # The API comes round to what the webhook said.
        ([(1, CSAT_2), event(2, customerSatisfaction=5), (3, CSAT_2), (9, CSAT_5)], CSAT_5),
        # Webhooks out of order, of one date, and of none that can be read.
        ([event(3, customerSatisfaction=5), event(2, customerSatisfaction=2), (9, CSAT_2)], CSAT_5),
        ([event(3, customerSatisfaction=5), event(4, customerSatisfaction="2"), (9, NOTHING)], CSAT_5),
        ([event(3, satisfactionComment="ok"), event(4, satisfactionComment=" "), (9, NOTHING)],
         Satisfaction(comment="ok")),
        # Each rating for itself.
        ([(1, BOTH), event(2, customerSatisfaction=5), (3, BOTH)], Satisfaction(csat=5, nps=0)),
        ([event(1, netPromoterScore=0), (2, Satisfaction(csat=2, nps=9)), (9, Satisfaction(csat=5, nps=9))],
         Satisfaction(csat=5, nps=0)),
        ([event(1, satisfactionComment="good"), (2, Satisfaction(csat=2, comment="bad"))],
         Satisfaction(csat=2, comment="good")),
        # What is not shown any more is not taken back.
        ([event(1, customerSatisfaction=5), (2, CSAT_5), (3, NOTHING)], CSAT_5),
    ],
)  # fmt: skip
def test_the_newest_rating_wins(steps, expected):
    assert rated(*steps) == expected


def test_of_two_ratings_of_one_date_and_of_none_the_one_that_arrived_last_wins():
    def click(identity: str, minute: int, value: int, said: datetime | None = START) -> Event:
        at = START + timedelta(minutes=minute)
        body = json.dumps({"customerSatisfaction": value}).encode()
        return Event(
            event_id=identity, event_type="any", platform="ha", occurred_at=said, received_at=at, body=body
        )

    for identities in ("ab", "ba"):
        first, second = click(identities[0], 1, 2), click(identities[1], 2, 5)
        for order in ([first, second], [second, first]):
            assert facts_of(order).satisfaction == CSAT_5
            assert facts_of(order[:1], retained_facts(order[1:])).satisfaction == CSAT_5
    dateless = [click("b", 1, 2, None), click("a", 2, 5, None)]
    assert facts_of(dateless).satisfaction == CSAT_5


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
    assert retained_facts([event(0, conversationId="c1", operatorIds=None, satisfactionComment=None)]) is None


@pytest.mark.parametrize(
    ("events", "listed", "known"),
    [
        ([], None, False),
        ([event(0, operatorId=7)], None, False),
        ([event(0, operatorId=7), event(1, operatorId=9)], None, False),
        ([event(0, operatorId=7), event(1, operatorIds=[7, 9])], None, True),
        ([event(0, operatorIds=[])], None, True),
        ([event(0, operatorId=[7])], None, True),  # as it was written until 2020
        ([event(0, operatorIds=[7, "x"])], None, False),
        ([], [], True),
        ([event(0, operatorId=7)], [9], True),
    ],
)
def test_all_operators_are_known_from_the_webhook_of_the_close_or_iadvizes_list(events, listed, known):
    found = facts_of(events, None, listed)
    assert found.operators_known is known
    assert facts_of([], retained_facts(events), listed) == found
    assert enrich(
        Conversation(id="c", platform="ha", client_id=1, operators_known=False), found
    ) == Conversation(
        id="c", platform="ha", client_id=1, operator_ids=found.operator_ids, operators_known=known
    )


@pytest.mark.parametrize("order", [(3, 5), (5, 3)])
def test_of_two_ratings_of_one_second_the_api_knows_which_is_the_later(order):
    events = [replace(event(0, customerSatisfaction=one), event_id=f"e{n}") for n, one in enumerate(order)]
    conversation = Conversation(id="c", platform="ha", client_id=335, satisfaction=Satisfaction(csat=5))
    assert enrich(conversation, facts_of(events)).satisfaction.csat == 5
