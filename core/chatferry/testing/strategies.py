"""The contract tests of strategies: a class to inherit.

::

    class TestColours(StrategyContract):
        @pytest.fixture
        def strategy(self):
            return Colours({})
"""

# ruff: noqa: S101  (asserts are what tests are made of)

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from types import FrameType
from typing import Any

import pytest
from marshmallow import Schema

from chatferry.model import Answer, Conversation
from chatferry.strategy import Strategy
from chatferry.testing.conversations import samples, talk


class StrategyContract:
    """Inherit it, and give it the ``strategy`` as a fixture, made as a destination would."""

    @pytest.fixture
    def strategy(self) -> Strategy:
        """Return the strategy under test."""
        message = "override the fixture: return the strategy to test"
        raise NotImplementedError(message)

    @pytest.fixture(params=sorted(samples()))
    def conversation(self, request: pytest.FixtureRequest) -> Conversation:
        """Return each sample conversation in turn: rich, poorest, anonymous, hostile."""
        return samples()[request.param]

    @pytest.fixture
    def example(self) -> Conversation | None:
        """Return a conversation in which the strategy finds something, if it finds nothing in the samples."""
        return None

    # ------------------------------------------------------------------------ what it is

    def test_it_has_a_name_a_destination_can_list(self, strategy: Strategy) -> None:
        """A name is one word in lower case, hyphens allowed."""
        name = getattr(strategy, "name", None)
        assert isinstance(name, str), "set the class attribute name"
        assert name, "the name is empty"
        assert name == name.lower().strip(), f"{name!r} is not in lower case"
        assert name.replace("-", "_").isidentifier(), f"{name!r} is not one word"

    def test_its_options_are_refused_by_name(self, strategy: Strategy) -> None:
        """``Settings`` is a marshmallow schema that does not swallow a misspelt option."""
        kind = type(strategy).Settings
        assert isinstance(kind, type), "Settings is a class, not an instance"
        assert issubclass(kind, Schema), "Settings is a marshmallow Schema"
        assert "misspelt_option" in kind().validate({"misspelt_option": 1}), (
            "unknown options have to be refused"
        )

    # -------------------------------------------------------------------- what it returns

    def test_it_copes_with_every_conversation(self, strategy: Strategy, conversation: Conversation) -> None:
        """Nothing a conversation holds, or lacks, makes it raise."""
        answers_of(strategy, conversation)

    def test_it_finds_something(self, strategy: Strategy, example: Conversation | None) -> None:
        """It finds an answer in a sample, or in the ``example`` of its author."""
        tried = [example] if example else samples().values()
        assert any(answers_of(strategy, conversation) for conversation in tried), (
            "it finds nothing in any sample: let the fixture example return a conversation with an answer"
        )

    def test_it_returns_answers(self, strategy: Strategy, conversation: Conversation) -> None:
        """Every item is an Answer."""
        for answer in answers_of(strategy, conversation):
            assert isinstance(answer, Answer), f"a {type(answer).__name__} is no Answer"

    def test_its_answers_have_values(self, strategy: Strategy, conversation: Conversation) -> None:
        """What is not found is left out, not returned empty."""
        for answer in answers_of(strategy, conversation):
            assert isinstance(answer.value, str), f"the value of {answer.name} is no text"
            assert answer.value.strip(), f"{answer.name} is empty; leave it out"

    def test_its_answers_have_names_a_mapping_can_use(
        self, strategy: Strategy, conversation: Conversation
    ) -> None:
        """``answers.NAME`` has to be an expression."""
        for answer in answers_of(strategy, conversation):
            assert answer.name.isidentifier(), f"answers.{answer.name} is no expression"
            assert not answer.name.startswith("_"), f"expressions cannot read answers.{answer.name}"

    def test_it_returns_a_name_once(self, strategy: Strategy, conversation: Conversation) -> None:
        """A second answer of one name would be dropped in silence."""
        names = [answer.name for answer in answers_of(strategy, conversation)]
        assert len(names) == len(set(names)), f"returned more than once: {names}"

    def test_its_answers_point_at_messages(self, strategy: Strategy, conversation: Conversation) -> None:
        """Every message an answer names is in the conversation, and named once."""
        known = {message.id for message in conversation.messages}
        for answer in answers_of(strategy, conversation):
            for one in (answer, *answer.earlier):
                assert isinstance(one.message_ids, tuple), f"message_ids of {one.name} is no tuple"
                assert set(one.message_ids) <= known, f"{one.name} points at messages that do not exist"
                assert len(one.message_ids) == len(set(one.message_ids)), f"{one.name} repeats a message"

    def test_its_answers_say_who_found_them(self, strategy: Strategy, conversation: Conversation) -> None:
        """``Answer.strategy`` is the strategy's name."""
        for answer in answers_of(strategy, conversation):
            assert answer.strategy == strategy.name, f"{answer.name} says it was found by {answer.strategy!r}"

    # -------------------------------------------------------------------- what it leaves alone

    def test_it_finds_the_same_again(self, strategy: Strategy, conversation: Conversation) -> None:
        """The same conversation gives the same answers, or a lead would be delivered for ever."""
        assert answers_of(strategy, conversation) == answers_of(strategy, deepcopy(conversation))

    def test_it_remembers_nothing(self, strategy: Strategy, conversation: Conversation) -> None:
        """It keeps no state between conversations."""
        before = answers_of(strategy, conversation)
        for other in samples().values():
            answers_of(strategy, other)
        assert answers_of(strategy, conversation) == before

    def test_it_changes_nothing(self, strategy: Strategy, conversation: Conversation) -> None:
        """The conversation and the answers of earlier strategies are only read."""
        original = deepcopy(conversation)
        found = {"before": Answer(name="before", value="x", message_ids=(), strategy="another")}
        list(strategy.extract(conversation, found))
        assert conversation == original, "the conversation was changed"
        assert conversation.raw == original.raw, "the raw conversation was changed"
        assert list(found) == ["before"], "the answers of earlier strategies were changed"

    def test_it_copes_with_names_that_are_taken(self, strategy: Strategy, conversation: Conversation) -> None:
        """Earlier strategies may have found everything already."""
        found = {
            answer.name: Answer(name=answer.name, value="taken", message_ids=(), strategy="another")
            for answer in answers_of(strategy, conversation)
        }
        list(strategy.extract(conversation, found))

    # ----------------------------------------------------------------------- what it costs

    def test_it_copes_with_ten_thousand_messages(self, strategy: Strategy) -> None:
        """A conversation of a week on a social channel is long."""
        answers_of(strategy, long_conversation(5_000))

    def test_its_work_grows_with_the_conversation_only(self, strategy: Strategy) -> None:
        """Twice the messages are at most about twice the lines of Python run, not four times."""
        once, twice, four_times = (
            lines_run(partial(answers_of, strategy, long_conversation(rounds))) for rounds in (100, 200, 400)
        )
        assert four_times - twice < 3 * (twice - once) + 100, (
            f"{once}, {twice}, {four_times} lines of Python for 200, 400, 800 messages"
        )


def answers_of(
    strategy: Strategy, conversation: Conversation, found: Mapping[str, Answer] | None = None
) -> list[Answer]:
    """Return all a strategy finds."""
    return list(strategy.extract(conversation, found or {}))


def long_conversation(rounds: int) -> Conversation:
    """Return a conversation of marked questions and replies, two messages a round."""
    chat = talk()
    for number in range(1, rounds + 1):
        chat.bot(f"[](Q{number}) What about number {number}?")
        chat.visitor(
            f"Reply {number}, write to visitor{number}@example.org or +44 20 7946 0{number % 1000:03}"
        )
    return chat.build()


def lines_run(work: Callable[[], Any]) -> int:
    """Return how many lines of Python a call runs: a measure of work without a clock."""
    count = 0

    def watch(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
