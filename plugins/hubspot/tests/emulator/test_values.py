"""What a property accepts: no text whatever may break the emulator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatferry_hubspot.emulator.errors import Problem
from chatferry_hubspot.emulator.properties import Property
from chatferry_hubspot.emulator.values import normalise

OPTIONS = ({"label": "A", "value": "a"}, {"label": "B", "value": "b"})
DEFINITIONS = [
    Property(name="email", label="Email"),
    Property(name="text", label="Text"),
    Property(name="number", label="Number", type="number", field_type="number"),
    Property(name="flag", label="Flag", type="bool", field_type="booleancheckbox"),
    Property(name="day", label="Day", type="date", field_type="date"),
    Property(name="moment", label="Moment", type="datetime", field_type="date"),
    Property(name="choice", label="Choice", type="enumeration", field_type="checkbox", options=OPTIONS),
]
moments = st.one_of(
    st.datetimes().map(str), st.integers().map(str), st.datetimes(timezones=st.timezones()).map(str)
)
addresses = st.from_regex(r"[a-z.+-]{1,8}@[a-z.-]{1,8}\.[a-z]{2,4}", fullmatch=True)
texts = st.one_of(st.text(), addresses, moments, st.floats().map(str), st.sampled_from(["a;b", ";", "true"]))


@given(st.sampled_from(DEFINITIONS), texts)
def test_any_text_is_stored_or_refused(definition, value):
    stored = normalise(definition, value)

    if isinstance(stored, Problem):
        assert stored.name == definition.name
    else:
        assert normalise(definition, stored) == stored


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_an_empty_string_clears_anything(definition):
    assert normalise(definition, "") == ""


@pytest.mark.parametrize(
    "value", ["@", "a@b", "a@b.c", "a b@example.com", "a@example..com", "Ana <a@b.fr>", "a@-b.fr"]
)
def test_what_is_no_email_is_refused(value):
    assert isinstance(normalise(DEFINITIONS[0], value), Problem)


@pytest.mark.parametrize("value", ["a@example.com", "a.b+chat@sub.example.co.uk", " O'Neil@Example.COM "])
def test_an_email_is_stored_trimmed_and_lower_cased(value):
    assert normalise(DEFINITIONS[0], value) == value.strip().lower()


def test_a_date_is_midnight_in_utc_and_nothing_else():
    day = DEFINITIONS[4]
    assert normalise(day, "2026-11-22") == normalise(day, "2026-11-22T00:00:00Z") == "2026-11-22"
    assert isinstance(normalise(day, "2026-11-22T09:14:00Z"), Problem)
