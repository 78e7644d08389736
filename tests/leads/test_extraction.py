# ruff: noqa: ARG002  (a strategy's signature)
from dataclasses import replace

import pytest

from chatferry import Answer, Strategy
from chatferry.leads.extraction import extract, lead_of
from chatferry.leads.strategies import register_strategies
from chatferry.model import Visitor
from chatferry.testing.conversations import anonymous, poorest, rich, samples, talk


class Fixed(Strategy):
    """Returns what it was made with."""

    name = "fixed"

    def extract(self, conversation, found):
        return self.settings["answers"]


class Broken(Strategy):
    """Fails after a first answer, with words of the visitor in its error."""

    name = "broken"

    def extract(self, conversation, found):
        yield answer("early", "x")
        message = conversation.messages[0].text
        raise LookupError(message)


def answer(name, value):
    return Answer(name=name, value=value, message_ids=(), strategy="fixed")


def fixed(*answers):
    return Fixed({"answers": answers})


def test_the_first_to_find_a_name_keeps_it():
    extracted = extract(rich(), [fixed(answer("a", "1")), fixed(answer("a", "2"), answer("b", "3"))])
    assert {name: found.value for name, found in extracted.answers.items()} == {"a": "1", "b": "3"}


def test_a_strategy_that_raises_loses_its_answers_and_nobody_elses():
    conversation = talk().visitor("I am Jane").build()
    extracted = extract(conversation, [Broken({}), fixed(answer("a", "1"))])
    assert list(extracted.answers) == ["a"]
    [failure] = extracted.failures
    assert failure.reason == "the strategy broken raised LookupError"
    assert "Jane" not in repr(failure)


ODD = [
    replace(answer("a", "1"), **odd)
    for odd in (
        {"name": 7},
        {"name": " "},
        {"message_ids": (7,)},
        {"message_ids": "m1"},
        {"question": 7},
        {"strategy": None},
        {"earlier": None},
        {"earlier": (answer("a", None),)},
    )
]


@pytest.mark.parametrize("nonsense", ["text", None, answer("a", " "), answer("a", None), *ODD])
def test_what_is_no_answer_is_a_failure(nonsense):
    extracted = extract(rich(), [fixed(answer("b", "1"), nonsense)])
    assert extracted.answers == {}
    assert [failure.strategy for failure in extracted.failures] == ["fixed"]


def test_a_strategy_cannot_change_what_others_found():
    class Thief(Strategy):
        name = "thief"

        def extract(self, conversation, found):
            found.clear()
            return []

    assert list(extract(rich(), [fixed(answer("a", "1")), Thief({})]).answers) == ["a"]


def test_the_profiles_email_makes_the_lead_in_lower_case():
    lead = lead_of(rich(), {})
    assert (lead.key, lead.email) == (rich().key, "jane.doe@example.com")
    assert lead.contact_key == lead.email


@pytest.mark.parametrize("profile", [None, "", "n/a", "jane@", "a b@c.de", "@", "x" * 300 + "@example.org"])
def test_an_answer_stands_in_for_an_email_that_is_none(profile):
    conversation = talk().build(visitor=Visitor(id="v1", email=profile))
    assert lead_of(conversation, {"email": answer("email", " Jane@Example.org ")}).email == "jane@example.org"
    assert lead_of(conversation, {"email": answer("email", "none")}).email is None


def test_without_an_email_the_visitor_is_the_contact():
    assert lead_of(anonymous(), {}).contact_key == "visitor:ha-335-b05f1b45-c891-4a9c-b47e-91ee6c8ffb44"


def test_without_a_visitor_the_conversation_is_the_contact():
    assert lead_of(poorest(), {}).contact_key == "conversation:sd-1-00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("name", samples())
def test_the_four_run_on_every_sample(name):
    strategies = [kind(kind.Settings().load({})) for kind in register_strategies()]
    assert [strategy.name for strategy in strategies] == ["markers", "profile", "contact", "transcript"]
    assert extract(samples()[name], strategies).failures == ()


@pytest.mark.parametrize(
    ("said", "kept"), [("a\u202eb", "ab"), ("a\x9bb\u2066", "ab"), ("a\r\nb\x85c", "a\nb\nc")]
)
def test_no_answer_turns_or_controls_what_is_written_around_it(said, kept):
    answers = extract(rich(), [fixed(replace(answer("a", said), earlier=(answer("a", said),)))]).answers
    assert (answers["a"].value, answers["a"].earlier[0].value) == (kept, kept)


def test_an_answer_of_nothing_to_show_is_none():
    assert extract(rich(), [fixed(answer("a", "\u202e"))]).answers == {}


@pytest.mark.parametrize(
    ("profile", "email", "notes"),
    [
        ("Jane@Example.org", "Jane@Example.org", 0),
        ("<jane@example.org>", "jane@example.org", 0),
        ("n/a", None, 0),
        ("paul@example.c0m", None, 1),
    ],
)
def test_a_profiles_address_is_usable_or_left_out_and_said(profile, email, notes):
    lead = lead_of(talk().build(visitor=Visitor(id="v", email=profile)), {})
    assert lead.visitor.email == email
    assert len(lead.notes) == notes
    assert not any("paul" in note for note in lead.notes)
