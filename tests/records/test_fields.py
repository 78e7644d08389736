"""The fields of a record by sync mode."""

from __future__ import annotations

from chatferry import cut
from chatferry.records import Fields, fold


def test_folding_is_what_writing_one_after_the_other_would_do():
    first = Fields(values={"a": "1", "b": "1"}, fill_if_empty={"c": "1"}, create_only={"d": "1"})
    second = Fields(values={"b": "2"}, fill_if_empty={"c": "2"}, create_only={"d": "2"})
    assert fold([first, second]).against(None) == {"a": "1", "b": "2", "c": "1", "d": "1"}


def test_a_record_meets_what_the_account_holds():
    fields = Fields(values={"a": "new"}, fill_if_empty={"b": "new", "c": "new"}, create_only={"d": "new"})
    assert fields.against({"a": "old", "b": "old"}) == {"a": "new", "c": "new"}


def test_a_field_that_was_refused_is_left_out_with_a_note():
    whole = Fields(values={"a": 1, "b": 2}, fill_if_empty={"c": 3}, create_only={"d": 4}, notes=("cut",))
    rest = whole.without({"a", "c", "d", "z"}, "three were left out")
    assert rest.against(None) == {"b": 2}
    assert rest.notes == ("cut", "three were left out")


def test_the_fields_that_depend_on_what_is_there_are_known_beforehand():
    whole = Fields(values={"a": 1}, fill_if_empty={"a": 1, "b": 2}, create_only={"c": 3})
    assert whole.conditional == {"b", "c"}
    assert whole.names == {"a", "b", "c"}


def test_long_texts_of_every_mode_are_cut_with_a_note_each():
    long = Fields(
        values={"a": "x" * 300, "n": 7, "none": None}, fill_if_empty={"b": "y" * 300}, create_only={"c": "z"}
    )
    shorter = long.cut(lambda _, text: cut(text, 200), lambda name, _: f"{name} was cut")
    assert [len(str(value)) <= 200 for value in shorter.against(None).values()] == [True] * 5
    assert shorter.notes == ("a was cut", "b was cut")
    assert shorter.values["n"] == 7


def test_what_a_visitor_wrote_is_shown_in_no_repr():
    assert "ana" not in repr(Fields(values={"email": "ana@example.com"}))
