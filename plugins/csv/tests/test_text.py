import csv
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatferry_csv.text import Format, clean, defuse, undefuse

TEXT = st.text(st.characters(), max_size=60) | st.text("=+-@'\t\r\n\0 ,;\"0159.\ud800é\uff1d", max_size=12)


@pytest.mark.parametrize(
    "formula",
    ["=1+1", "@SUM(A1)", "+1+1", "-2+3|cmd", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1+1", "\uff0da", "\0=1"],
)
def test_what_a_spreadsheet_would_run_is_defused(formula):
    assert defuse(formula) == "'" + formula.replace("\0", "")


@pytest.mark.parametrize(
    "plain", ["-12.5", "+33612345678", "+33 6 12 34 56 78", "-1,5", "1=1", "a@b.c", "", "l'eau"]
)
def test_numbers_telephone_numbers_and_ordinary_text_are_left_alone(plain):
    assert defuse(plain) == plain


@given(TEXT)
def test_the_apostrophe_can_be_taken_away_again(text):
    assert undefuse(defuse(text)) == text.replace("\0", "") or "\0" in text


@given(st.lists(st.tuples(st.just("key"), TEXT, TEXT), min_size=1), st.sampled_from(",;\t|"))
def test_any_text_is_read_back_by_the_csv_module(tmp_path_factory, rows, delimiter):
    form = Format(delimiter=delimiter)
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(form.encode("".join(form.lines([[form.cell(c) for c in row] for row in rows]))))
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.reader(file, delimiter=delimiter, strict=True))
    assert [[undefuse(c) for c in row] for row in found] == [
        [undefuse(clean(defuse(c))) for c in row] for row in rows
    ]


@given(st.lists(TEXT, min_size=2, max_size=5))
def test_a_written_line_is_read_back_cell_by_cell(cells):
    form = Format(formulas="keep")
    line = form.lines([["key", *cells]])[0]
    assert form.cells(line) == form.cells(line.removesuffix("\r\n")) == ["key", *map(clean, cells)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (-3, "-3"),
        (-12.5, "-12.5"),
        (datetime(2026, 11, 2, 9, 30, tzinfo=UTC), "2026-11-02T09:30:00Z"),
        (datetime(2026, 11, 2, 9, 30, tzinfo=timezone(timedelta(hours=2))), "2026-11-02T07:30:00Z"),
    ],
)
def test_values_are_written_the_same_everywhere(value, text):
    assert Format().cell(value) == text


def test_line_breaks_can_be_flattened():
    assert Format(line_breaks="flatten").cell("a\r\nb\nc\rd") == "a b c d"


def test_formulas_can_be_kept():
    assert Format(formulas="keep").cell("=1+1") == "=1+1"


def test_what_an_encoding_lacks_is_written_visibly():
    assert Format(encoding="cp1252").writable("é€ 名") == "é€ \\u540d"


def test_a_lone_surrogate_is_replaced_and_nul_removed():
    assert Format().writable("a\0b\ud83dc") == "ab\ufffdc"


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("tzinfo", [UTC, None])
def test_a_time_is_written_in_utc_wherever_the_machine_is(tzinfo):
    assert Format().cell(datetime(2026, 7, 1, 23, 30, tzinfo=tzinfo)) == "2026-07-01T23:30:00Z"
