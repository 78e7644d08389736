import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatferry.leads.marker_syntax import find, normalise, strip

FORMS = [
    "[](Q1)",
    "[ ](Q1)",
    "[](q1)",
    "[](Q01)",
    "[] (Q1)",
    "[]( Q1 )",
    "[\u00a0](Q 1)",
    "[\u200b](Q1)",
    r"\[\](Q1)",
    r"\[\]\(Q1\)",
]
PIECES = [*FORMS, "[", "]", "(", ")", "\\", "Q1", "[](", "](Q1)", "[](Q)", " ", "\n", "word", "é"]
marked_texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_marker_is_found_and_taken_out(form):
    assert find(f"{form} Which car?") == [("Q1", "Which car?")]
    assert strip(f"{form} Which car?") == "Which car?"


@pytest.mark.parametrize(
    "text", ["[](x)", "[](Q)", "[](Q-1)", "[a](Q1)", "(Q1)", "[]Q1", "[](Q1234567890)", ""]
)
def test_what_is_no_marker_stays(text):
    assert find(text) == []
    assert strip(text) == text


def test_a_question_ends_where_the_next_marker_begins():
    text = "Hello! [](Q1) What is your name? [](Q2) And your age?"
    assert find(text) == [("Q1", "What is your name?"), ("Q2", "And your age?")]


def test_a_marker_behind_its_question_takes_what_stands_before():
    assert find("What is your budget [](Q3)?") == [("Q3", "What is your budget ?")]


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("Thanks [](Q2) what now?", "Thanks what now?"),
        ("Thanks.[](Q2) What now?", "Thanks. What now?"),
        ("one\n[](Q2) two", "one\ntwo"),
        ("[](Q1)[](Q2)[](Q3)", ""),
        ("[[](Q1)](Q2)", ""),
    ],
)
def test_words_stay_apart_where_a_marker_stood(text, stripped):
    assert strip(text) == stripped


def test_endless_nesting_is_taken_apart_at_once():
    assert find(strip("[" * 20_000 + "](Q1)" * 20_000)) == []


@pytest.mark.parametrize(
    ("written", "name"), [("q01", "Q1"), (" Q10 ", "Q10"), ("Q0", "Q0"), ("1", None), ("Q", None)]
)
def test_names_are_normalised(written, name):
    assert normalise(written) == name


@given(marked_texts)
def test_no_marker_survives_stripping(text):
    stripped = strip(text)
    assert find(stripped) == []
    assert strip(stripped) == stripped


@given(marked_texts)
def test_every_question_is_readable(text):
    for name, question in find(text):
        assert normalise(name) == name
        assert find(question) == []
