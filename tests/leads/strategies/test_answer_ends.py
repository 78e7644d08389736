"""Where an answer ends though no marked question follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from chatferry.emulators.iadvize import IAdvizeWorld
from chatferry.iadvize.parse import parse_conversation
from chatferry.leads.strategies.goodbyes import says_goodbye
from chatferry.leads.strategies.markers import Markers
from chatferry.leads.strategies.markers import asked as questions
from chatferry.model import Attachment
from chatferry.testing.conversations import file, quick_replies, talk


def answers(conversation, **options):
    found = Markers(Markers.Settings().load(options)).extract(conversation, {})
    return {answer.name: answer for answer in found}


def first(chat, **options):
    return answers(chat.build(), **options)["Q1"]


def asked():
    return talk().bot("[](Q1) Which car?")


def event(kind):
    return Attachment(kind=kind, text="")


def test_the_brand_may_put_in_a_word():
    answer = first(asked().visitor("A van").bot("Let me see.").bot("One moment.").visitor("a large one"))
    assert answer.value == "A van\na large one"
    assert answer.more == ()


def test_more_talk_is_no_answer_but_is_kept():
    chat = asked().visitor("A van")
    for number in range(3):
        chat.agent("I see.").visitor(f"talk {number}")
    answer = first(chat)
    assert answer.value == "A van\ntalk 0"
    assert answer.more == ("m6", "m8")
    assert first(chat, interjections=0).value == "A van"
    assert first(chat, interjections=2).value == "A van\ntalk 0\ntalk 1"


def test_until_the_next_marker_everything_may_be_the_answer():
    chat = (
        asked().visitor("A van").agent("Which colour?").visitor("Red").agent("Bye!").visitor("one more thing")
    )
    answer = first(chat, until_next_marker=True)
    assert (answer.value, answer.more) == ("A van\nRed\none more thing", ())


@pytest.mark.parametrize(
    "question", ["Which colour?", "どの色ですか", "ما اللون؟", "何色\uff1f", "色を教えてください"]
)
def test_a_question_without_a_marker_ends_it(question):
    answer = first(asked().visitor("A van").bot(question).visitor("Red"))
    assert (answer.value, answer.more) == ("A van", ("m4",))


def test_a_menu_ends_it_without_a_question_mark():
    assert (
        first(asked().visitor("A van").bot("", quick_replies("Colour", ["Red"])).visitor("Red")).value
        == "A van"
    )


def test_an_automatic_question_ends_it():
    automatic = Attachment(kind="AutomaticMessageSentSystemAttachment", text="Are you still there?")
    assert first(asked().visitor("A van").system("", automatic).visitor("Yes")).value == "A van"


def test_an_address_with_a_question_mark_asks_nothing():
    chat = asked().visitor("A van").bot("See https://brand.example/cars?kind=van").visitor("or a bus")
    assert first(chat).value == "A van\nor a bus"


def test_a_question_in_two_messages_is_one():
    assert first(asked().bot("New or used?").visitor("A used van")).value == "A used van"


def test_the_reply_to_anothers_question_is_no_answer():
    chat = asked().agent("Hello, what is your name?").visitor("Jane")
    assert answers(chat.build()) == {}
    assert answers(chat.build(), unanswered="-")["Q1"].value == "-"


@pytest.mark.parametrize(
    "kind",
    [
        "TransferredToUserSystemAttachment",
        "TransferredToRoutingRuleSystemAttachment",
        "ConversationPushedSystemAttachment",
    ],
)
def test_a_transfer_ends_it(kind):
    assert first(asked().visitor("A van").system("", event(kind)).visitor("Hello")).value == "A van"
    assert answers(asked().system("", event(kind)).visitor("Hello").build()) == {}


def test_what_happens_besides_does_not_end_it():
    snoozed = event("ConversationSnoozedSystemAttachment")
    chat = asked().visitor("A van").system("", snoozed).system("", snoozed).visitor("a large one")
    assert first(chat, interjections=0).value == "A van\na large one"


@pytest.mark.parametrize(
    "goodbye",
    [
        "Thank you and have a nice day!",
        "GOODBYE",
        "Merci et bonne journee",
        "à bientôt",
        "Auf Wiedersehen",
        "¡Adiós!",
        "Buona serata",
        "Tot ziens!",
        "Até logo",
        "مع السلامة",
        "失礼いたします",
    ],
)
def test_a_goodbye_of_either_side_ends_it(goodbye):
    assert says_goodbye(goodbye)
    assert first(asked().visitor("A van").agent(goodbye).visitor("thanks")).value == "A van"
    assert first(asked().visitor("A van").visitor(goodbye)).value == "A van"
    assert answers(asked().agent(goodbye).visitor("thanks").build()) == {}


@pytest.mark.parametrize(
    "text", ["A nice daybed", "goodbyes", "Bonjour", "Bom dia", "Guten Tag", "the day", ""]
)
def test_a_greeting_is_no_goodbye(text):
    assert not says_goodbye(text)


def test_a_reply_with_a_goodbye_is_a_reply():
    assert first(asked().visitor("A van, bye")).value == "A van, bye"


def test_the_visitors_own_question_after_a_word_of_the_brand_is_no_answer():
    assert first(asked().visitor("A van").agent("Noted.").visitor("Is there a warranty?")).value == "A van"
    assert (
        first(asked().visitor("A van").visitor("or is a bus cheaper?")).value == "A van\nor is a bus cheaper?"
    )


def test_files_are_no_reply_to_what_comes_later():
    chat = asked().visitor("", file("a.pdf", "u")).agent("Which colour?").visitor("Red")
    assert first(chat).value == "a.pdf (u)"


@pytest.mark.parametrize("interjections", [-1, 1001, "1", 1.5])
def test_a_number_that_makes_no_sense_is_refused(interjections):
    with pytest.raises(ValidationError):
        Markers.Settings().load({"interjections": interjections})


TURNS = st.lists(st.sampled_from(["visitor", "agent", "bot", "ask", "?", "bye"]), max_size=30)


@given(TURNS, st.integers(0, 3))
def test_no_word_is_lost_or_taken_twice(turns, interjections):
    chat = talk()
    says = {"ask": "[](Q1) And now?", "?": "Really?", "bye": "Goodbye"}
    for turn in turns:
        getattr(chat, turn if turn in {"visitor", "agent", "bot"} else "bot")(says.get(turn, "word"))
    conversation = chat.build()
    for ended, whole in zip(
        questions(conversation, interjections=interjections), questions(conversation), strict=True
    ):
        ids = [message_id for message_id, _ in ended.replies]
        assert sorted((*ids, *ended.more)) == sorted(message_id for message_id, _ in whole.replies)


def test_generated_conversations_are_answered_as_their_makers_know():
    with IAdvizeWorld(conversations=400, seed=23) as world:
        for conversation_id in world.ids:
            truth = world.truth(conversation_id)
            raw = world.node(conversation_id)
            edges = [{"node": node} for node in raw["lines"]]
            read = parse_conversation(raw | {"messages": {"edges": edges}}, platform="ha", client_id=335)
            found = {
                name: answer.value for name, answer in answers(read).items() if name not in truth.files_only
            }
            assert found.keys() == truth.answers.keys(), truth.kind
            assert all(found[name] in right.values for name, right in truth.answers.items()), truth.kind
