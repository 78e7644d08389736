import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from chatferry.leads.marker_syntax import find
from chatferry.leads.strategies.markers import Markers, asked
from chatferry.model import Attachment, AuthorKind
from chatferry.testing.conversations import file, quick_replies, rich, talk
from chatferry.testing.strategies import StrategyContract


class TestMarkers(StrategyContract):
    @pytest.fixture
    def strategy(self):
        return Markers(Markers.Settings().load({}))


class TestMarkersWithOptions(StrategyContract):
    @pytest.fixture
    def strategy(self):
        return Markers(Markers.Settings().load({"names": {"Q1": "x", "Q2": "x"}, "unanswered": "-"}))


def answers(chat, **options):
    found = Markers(Markers.Settings().load(options)).extract(chat.build(), {})
    return {answer.name: answer for answer in found}


def values(chat, **options):
    return {name: answer.value for name, answer in answers(chat, **options).items()}


def test_an_answer_spans_the_visitors_messages():
    chat = talk().bot("[](Q1) What type of vehicle?").visitor("Type: car").visitor("Size: mini bus, 7 seats")
    answer = answers(chat)["Q1"]
    assert answer.value == "Type: car\nSize: mini bus, 7 seats"
    assert answer.question == "What type of vehicle?"
    assert answer.message_ids == ("m2", "m3")


def test_the_rich_sample_is_answered_as_a_reader_would():
    found = {answer.name: answer.value for answer in Markers({}).extract(rich(), {})}
    assert found == {
        "Q1": "A van, rather large 🚐\nwith at least seven seats",
        "Q2": "Yes",
        "Q3": "Around 25 000 €\nand not more, please",
        "Q4": "registration.pdf (https://files.example.org/f/1)",
    }


def test_the_visitors_own_marker_asks_nothing_and_is_taken_out():
    assert values(talk().visitor("[](Q9) Hi").bot("[](Q1) Why?").visitor("[](Q1) because")) == {
        "Q1": "because"
    }


@pytest.mark.parametrize("kind", [AuthorKind.AGENT, AuthorKind.BOT, AuthorKind.SYSTEM])
def test_everybody_else_may_ask(kind):
    assert values(talk().say(kind, "[](Q1) Why?").visitor("because")) == {"Q1": "because"}


def test_menus_and_automatic_texts_ask_too():
    automatic = Attachment(kind="AutomaticMessageSentSystemAttachment", text="[](Q2) And you?")
    chat = (
        talk()
        .bot("", quick_replies("[](Q1) Work?", ["Yes", "No"]))
        .visitor("No")
        .system("", automatic)
        .visitor("I")
    )
    found = answers(chat)
    assert {name: answer.value for name, answer in found.items()} == {"Q1": "No", "Q2": "I"}
    assert found["Q1"].question == "Work?\n- Yes\n- No"


def test_a_file_alone_is_an_answer():
    assert values(talk().bot("[](Q1) Your papers?").visitor("", file("a.pdf", "u"))) == {"Q1": "a.pdf (u)"}


def test_a_file_beside_words_is_not_part_of_the_answer():
    chat = talk().bot("[](Q1) Car?").visitor("", file("a.jpg")).visitor("A van", file("b.jpg"))
    assert answers(chat)["Q1"].message_ids == ("m3",)
    assert values(chat) == {"Q1": "A van"}


def test_markers_in_one_message_share_the_answer():
    found = answers(talk().bot("[](Q1) Name? [](Q2) Age?").visitor("Jane, 33"))
    assert {name: (one.value, one.question) for name, one in found.items()} == {
        "Q1": ("Jane, 33", "Name?"),
        "Q2": ("Jane, 33", "Age?"),
    }


def test_a_question_asked_again_keeps_its_history():
    chat = (
        talk()
        .bot("[](Q1) When?")
        .visitor("May")
        .agent("[](Q1) Really?")
        .visitor("June")
        .agent("[](Q01) Sure?")
    )
    answer = answers(chat)["Q1"]
    assert (answer.value, answer.question) == ("June", "Really?")
    assert [(one.value, one.message_ids) for one in answer.earlier] == [("May", ("m2",))]


def test_a_marker_written_twice_in_one_message_asks_once():
    assert answers(talk().bot("[](Q1) Why? [](Q1)").visitor("because"))["Q1"].earlier == ()


def test_an_empty_reply_is_no_reply():
    assert values(talk().bot("[](Q1) Why?").visitor(" \n").visitor("[](Q1)")) == {}


def test_an_unanswered_question_is_told_from_one_never_asked():
    chat = talk().bot("[](Q1) Why?").bot("[](Q2) When?").visitor("May").bot("[](Q2) Sure?")
    found = answers(chat, unanswered="(no reply)")
    assert {name: answer.value for name, answer in found.items()} == {"Q1": "(no reply)", "Q2": "May"}
    assert (found["Q1"].question, found["Q1"].message_ids) == ("Why?", ("m1",))
    assert values(chat) == {"Q2": "May"}
    assert [(once.name, len(once.replies)) for once in asked(chat.build())] == [
        ("Q1", 0),
        ("Q2", 1),
        ("Q2", 0),
    ]


def test_questions_can_be_renamed():
    chat = talk().bot("[](Q1) Car?").visitor("A van").bot("[](Q7) Car?").visitor("A bus")
    assert values(chat, names={"q01": "vehicle"}) == {"vehicle": "A van", "Q7": "A bus"}
    merged = answers(chat, names={"Q1": "vehicle", "Q7": "vehicle"})["vehicle"]
    assert (merged.value, merged.earlier[0].value) == ("A bus", "A van")


@pytest.mark.parametrize("names", [{"Q1": "two words"}, {"Q1": "_private"}, {"Q1": ""}, {"question": "x"}])
def test_a_name_no_mapping_could_use_is_refused(names):
    with pytest.raises(ValidationError):
        Markers.Settings().load({"names": names})


pieces = st.sampled_from(
    ["[](Q1)", "[ ](q02)", r"\[\](Q3)", "[", "](Q1)", "[](", "Q1)", " ", "\n", "yes", "\x00"]
)
texts = st.lists(pieces | st.text(max_size=4), max_size=8).map("".join)


def test_replies_that_make_a_marker_only_together_are_no_marker():
    chat = talk()
    chat.say(AuthorKind.AGENT, "[](Q1) Which array?")
    chat.say(AuthorKind.VISITOR, "[")
    chat.say(AuthorKind.VISITOR, "](Q1)")
    assert answers(chat)["Q1"].value == "](Q1)"


@given(st.lists(st.tuples(st.sampled_from(AuthorKind), texts, st.lists(texts, max_size=1)), max_size=8))
def test_no_conversation_breaks_it_and_no_value_holds_a_marker(said):
    chat = talk()
    for kind, text, attached in said:
        chat.say(kind, text, *(Attachment(kind="CardAttachment", text=one) for one in attached))
    for answer in answers(chat).values():
        for one in (answer, *answer.earlier):
            assert one.value.strip()
            assert find(one.value) == []


@pytest.mark.parametrize(
    "reply",
    [
        "> Which car do you look for?\nA van",
        "A van\n> Which car\n> do you look for?",
        "A van\n\nLe lun. 2 nov. 2026, la marque <help@brand.com> a \u00e9crit :\n> Quelle voiture ?",
        "On Monday Ada wrote:\n> Which car?\nA van",
    ],
)
def test_what_a_reply_quotes_is_not_the_answer(reply):
    chat = talk().bot("[](Q1) Which car do you look for?").visitor(reply).build()
    assert [answer.value for answer in Markers({}).extract(chat, {})] == ["A van"]


def test_a_reply_of_quotes_alone_is_none():
    assert list(Markers({}).extract(talk().bot("[](Q1) Which?").visitor("> Which?").build(), {})) == []


def test_a_sign_in_a_line_quotes_nothing():
    chat = talk().bot("[](Q1) How many?").visitor("a > b, 5 -> 6").build()
    assert [answer.value for answer in Markers({}).extract(chat, {})] == ["a > b, 5 -> 6"]
