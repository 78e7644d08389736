import html
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatferry.leads import transcripts
from chatferry.leads.transcripts import cut, spoken
from chatferry.model import AuthorKind
from chatferry.testing.conversations import file, quick_replies, rich, talk


def render(conversation, *, system=True, **options):
    return transcripts.render(spoken(conversation, system=system), **options)


def test_a_transcript_has_a_line_a_message_and_no_markers():
    chat = talk().bot("[](Q1) Which car?").visitor("A van").agent("Fine.")
    assert render(chat.build()) == "[09:14] Bot: Which car?\n[09:14] Visitor: A van\n[09:14] Agent: Fine."


def test_times_are_those_of_the_zone():
    assert render(talk().visitor("Hi").build(), zone=ZoneInfo("Asia/Tokyo")) == "[18:14] Visitor: Hi"


def test_labels_and_names_replace_the_roles():
    chat = talk().agent("Hi", name="Zoé\nof the garage").say(AuthorKind.BOT, "Ho").visitor("Ha").build()
    text = render(chat, names=True, labels={AuthorKind.VISITOR: "Client"})
    assert text == "[09:14] Zoé of the garage: Hi\n[09:14] Bot: Ho\n[09:14] Client: Ha"


def test_system_messages_can_be_left_out():
    chat = talk().system("Transferred").visitor("Hi").build()
    assert render(chat, system=False) == "[09:14] Visitor: Hi"


def test_attachments_are_readable():
    menu = quick_replies("[](Q2) For work?", ["Yes", "No"])
    text = render(talk().bot("", menu).visitor("", file("plan.pdf", "https://x.org/1")).build())
    assert text == "[09:14] Bot: For work?\n  - Yes\n  - No\n[09:14] Visitor: plan.pdf (https://x.org/1)"


def test_nobodys_words_pass_for_another_message():
    forged = "Hello\r\n[09:15] Agent: You get a refund\x0b[09:16] Agent: Now\u2028[09:17] Agent: Yes"
    lines = render(talk().visitor(forged).build()).split("\n")
    assert [line for line in lines if not line.startswith("  ")] == ["[09:14] Visitor: Hello"]


def test_each_of_several_days_is_dated():
    chat = talk().visitor("Hi").wait(timedelta(days=1)).agent("Hello").build()
    assert render(chat) == "2026-03-02\n[09:14] Visitor: Hi\n2026-03-03\n[09:14] Agent: Hello"


def test_times_at_the_end_of_time_are_shown_as_they_are():
    chat = talk(start=datetime(9999, 12, 31, 23, 59, tzinfo=UTC), step=timedelta(0)).visitor("Hi").build()
    assert render(chat, zone=ZoneInfo("Asia/Tokyo")) == "[23:59] Visitor: Hi"


def test_a_text_that_fits_is_not_cut():
    assert cut("[09:14] Visitor: Hi", 19) is None


def test_a_cut_falls_between_messages_and_says_so():
    text = render(talk().visitor("one").visitor("two\nmore of two " + "x" * 60).visitor("three").build())
    shorter = cut(text, 100)
    assert shorter.text == "[09:14] Visitor: one\n[… cut here: 2 more of 3 messages, see iAdvize]"
    assert (shorter.kept, shorter.total) == (1, 3)


@pytest.mark.parametrize("before", ["", "2026-03-02\n"])
def test_a_first_message_that_is_too_long_is_cut_inside(before):
    shorter = cut(f"{before}[09:14] Visitor: " + "x" * 500, 100)
    assert shorter.text.endswith("xxx [… cut]")
    assert shorter.total == 0


def test_a_text_that_is_no_transcript_is_cut_anywhere():
    assert cut("Hello\n" + "x" * 500, 100).text == "Hello\n" + "x" * 86 + " [… cut]"


@pytest.mark.parametrize("limit", range(12))
def test_a_tiny_limit_is_kept(limit):
    assert len(cut(render(rich()), limit).text) <= limit


def as_html(text):
    return len(html.escape(text).replace("\n", "<br>").encode())


@given(
    st.lists(st.text(max_size=80), max_size=12),
    st.integers(min_value=60, max_value=900),
    st.sampled_from([len, as_html]),
)
def test_a_cut_text_fits_and_keeps_whole_messages(texts, limit, size):
    chat = talk()
    for text in texts:
        chat.visitor(text)
    whole = render(chat.build())
    shorter = cut(whole, limit, size)
    if shorter is None:
        assert size(whole) <= limit
        return
    assert size(shorter.text) <= limit
    kept, found, _ = shorter.text.rpartition("\n[… cut here")
    if found:
        assert whole.startswith(f"{kept}\n[")
        assert shorter.kept == kept.count("\n[") + 1


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=12), st.integers(200, 4000))
@example([50, 82_000, 20], 65_536)
def test_a_cut_transcript_fills_its_room(lengths, limit):
    """Whichever message is the long one: the room is nearly full and nothing is beyond it."""
    chat = talk()
    for number, length in enumerate(lengths):
        (chat.agent if number % 2 else chat.visitor)("é" * length)
    text = render(chat.build())
    shorter = cut(text, limit)
    if shorter is None:
        assert len(text) <= limit
        return
    assert limit * 0.9 - 300 < len(shorter.text) <= limit
    assert "cut" in shorter.text
    beginning = shorter.text.partition("\n[…")[0].removesuffix(" [… cut]")
    assert text.startswith(beginning)


def test_a_message_that_is_too_long_for_a_note_is_kept_in_part():
    text = render(talk().visitor("Hello").agent("x" * 82_000).visitor("Bye").build())
    shorter = cut(text, 65_536)
    assert len(shorter.text) > 65_000
    assert (shorter.kept, shorter.total) == (2, 3)
    assert shorter.text.endswith("x [… cut]\n[… cut here: 1 more of 3 messages, see iAdvize]")
