"""Each deliberately broken strategy is caught by the case meant for it."""

# ruff: noqa: ARG002  (a strategy's signature)

import random

import pytest
from marshmallow import EXCLUDE, Schema

from chatferry import Answer, Strategy
from chatferry.leads.strategies import register_strategies
from chatferry.testing.conversations import hostile, poorest, rich
from chatferry.testing.strategies import StrategyContract

CASES = StrategyContract()


class Sound(Strategy):
    """Does nothing wrong; the broken ones change one thing."""

    name = "sound"
    value = "x"

    def extract(self, conversation, found):
        ids = tuple(message.id for message in conversation.messages[:1])
        return [Answer(name="sound", value=self.value, message_ids=ids, strategy=self.name)]


def answer(**fields):
    return Answer(**{"name": "a", "value": "x", "message_ids": (), "strategy": "sound", **fields})


def returning(*answers):
    class Returning(Sound):
        def extract(self, conversation, found):
            return answers

    return Returning({})


class Nameless(Sound):
    name = "Two Words"


class Careless(Sound):
    class Settings(Schema):
        class Meta:
            unknown = EXCLUDE


class NeedsMessages(Sound):
    def extract(self, conversation, found):
        return [answer(message_ids=(conversation.messages[0].id,))]


class Random(Sound):
    def extract(self, conversation, found):
        return [answer(value=str(random.random()))]


class Remembering(Sound):
    def extract(self, conversation, found):
        self.value += "x"
        return super().extract(conversation, found)


class Leaking(Sound):
    seen = frozenset()

    def extract(self, conversation, found):
        self.seen |= {conversation.id}
        return [answer(value=" ".join(sorted(self.seen)))]


class Thief(Sound):
    def extract(self, conversation, found):
        found.clear()
        return []


class Vandal(Sound):
    def extract(self, conversation, found):
        conversation.custom_data["seen"] = True
        return []


class Jealous(Sound):
    def extract(self, conversation, found):
        if "sound" in found:
            raise LookupError
        return super().extract(conversation, found)


class Recursive(Sound):
    def extract(self, conversation, found):
        self.walk(conversation.messages, 0)
        return []

    def walk(self, messages, number):
        if number < len(messages):
            self.walk(messages, number + 1)


class Quadratic(Sound):
    def extract(self, conversation, found):
        pairs = 0
        for message in conversation.messages:
            for other in conversation.messages:
                pairs += message is other
        return []


BROKEN = [
    ("test_it_has_a_name_a_destination_can_list", Nameless({}), None),
    ("test_its_options_are_refused_by_name", Careless({}), None),
    ("test_it_copes_with_every_conversation", NeedsMessages({}), poorest),
    ("test_it_finds_something", returning(), rich),
    ("test_it_returns_answers", returning("x"), rich),
    ("test_its_answers_have_values", returning(answer(value=" ")), rich),
    ("test_its_answers_have_values", returning(answer(value=7)), rich),
    ("test_its_answers_have_names_a_mapping_can_use", returning(answer(name="licence plate")), rich),
    ("test_its_answers_have_names_a_mapping_can_use", returning(answer(name="_plate")), rich),
    ("test_it_returns_a_name_once", returning(answer(), answer()), rich),
    ("test_its_answers_point_at_messages", returning(answer(message_ids=("m99",))), rich),
    ("test_its_answers_point_at_messages", returning(answer(message_ids=["m1"])), rich),
    ("test_its_answers_point_at_messages", returning(answer(message_ids=("m1", "m1"))), rich),
    ("test_its_answers_point_at_messages", returning(answer(earlier=(answer(message_ids=("m99",)),))), rich),
    ("test_its_answers_say_who_found_them", returning(answer(strategy="another")), rich),
    ("test_it_finds_the_same_again", Random({}), rich),
    ("test_it_finds_the_same_again", Remembering({}), rich),
    ("test_it_remembers_nothing", Leaking({}), rich),
    ("test_it_changes_nothing", Thief({}), hostile),
    ("test_it_changes_nothing", Vandal({}), rich),
    ("test_it_copes_with_names_that_are_taken", Jealous({}), rich),
    ("test_it_copes_with_ten_thousand_messages", Recursive({}), None),
    ("test_its_work_grows_with_the_conversation_only", Quadratic({}), None),
]


@pytest.mark.parametrize(
    ("case", "strategy", "sample"), BROKEN, ids=lambda value: getattr(value, "__name__", None)
)
def test_the_case_meant_for_it_catches_a_broken_strategy(case, strategy, sample):
    run = getattr(CASES, case)
    arguments = [sample()] if sample else []
    run(Sound({}), *arguments)
    with pytest.raises((AssertionError, LookupError, RecursionError)):
        run(strategy, *arguments)


def test_every_case_has_a_broken_strategy():
    cases = {name for name in vars(StrategyContract) if name.startswith("test_")}
    assert cases == {case for case, _, _ in BROKEN}


def test_the_built_in_strategies_come_through_the_hook():
    assert [kind.name for kind in register_strategies()] == ["markers", "profile", "contact", "transcript"]
