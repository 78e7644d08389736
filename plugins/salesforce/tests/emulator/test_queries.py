"""The part of SOQL that connectors need."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatferry_salesforce.emulator.errors import ApiError
from chatferry_salesforce.emulator.soql import Query, parse

VISITOR = "Chat_Visitor_Id__c"


@pytest.fixture
def three(org):
    """An org with three leads, the second of which is in the recycle bin, and a conversation of the first."""
    org.lead("a", LastName="Adams", Email="ada@example.com", Title="CEO")
    gone = org.lead("b", LastName="Brown")
    org.lead("c", LastName="O'Neil")
    org.call("DELETE", f"/sobjects/Lead/{gone}")
    org.upsert(
        "Conversation__c", "Conversation_Id__c", {"Conversation_Id__c": "c-1", "Lead__r": {VISITOR: "a"}}
    )
    return org


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("", ["Adams", "O'Neil"]),
        ("WHERE LastName = 'adams'", ["Adams"]),
        (r"WHERE LastName = 'O\'Neil'", ["O'Neil"]),
        ("WHERE LastName != 'Adams'", ["O'Neil"]),
        ("WHERE Chat_Visitor_Id__c IN ('a', 'b', 'z')", ["Adams"]),
        ("WHERE Chat_Visitor_Id__c NOT IN ('a')", ["O'Neil"]),
        ("WHERE LastName LIKE 'a%'", ["Adams"]),
        ("WHERE LastName LIKE '_dams' OR Title = 'CEO'", ["Adams"]),
        ("WHERE Title = null", ["O'Neil"]),
        ("WHERE Title != null AND (LastName = 'x' OR Email = 'ADA@example.com')", ["Adams"]),
        ("WHERE NOT LastName = 'Adams'", ["O'Neil"]),
        ("WHERE IsConverted = false", ["Adams", "O'Neil"]),
        ("WHERE CreatedDate > 2020-01-01T00:00:00Z", ["Adams", "O'Neil"]),
        ("WHERE CreatedDate < 2020-01-01T00:00:00Z", []),
        ("WHERE Owner.Name = 'Integration' LIMIT 1", ["Adams"]),
    ],
)
def test_conditions(three, where, names):
    assert [row["LastName"] for row in three.rows(f"SELECT LastName FROM Lead {where}")] == names


def test_the_recycle_bin_is_looked_at_if_that_is_asked_for(three):
    rows = three.rows("SELECT LastName, IsDeleted FROM Lead ORDER BY LastName DESC", "queryAll")
    assert [(row["LastName"], row["IsDeleted"]) for row in rows] == [
        ("O'Neil", False),
        ("Brown", True),
        ("Adams", False),
    ]


def test_fields_of_a_record_that_is_named_are_nested(three):
    (row,) = three.rows("SELECT Conversation_Id__c, Lead__r.Email, Contact__r.Email FROM Conversation__c")
    assert row["Lead__r"]["Email"] == "ada@example.com"
    assert row["Contact__r"]["Email"] is None


def test_a_count_has_no_rows(three):
    answer = three.query("SELECT COUNT() FROM Lead").json()
    assert (answer["totalSize"], answer["records"]) == (2, [])


def test_more_than_2000_rows_come_in_pages(org):
    for start in range(0, 2_100, 200):
        records = [{"LastName": "P", "Company": "C", VISITOR: f"{start + n}"} for n in range(200)]
        org.upsert("Lead", VISITOR, *records)
    first = org.query("SELECT Id FROM Lead").json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (2_200, False, 2_000)
    second = org.call("GET", first["nextRecordsUrl"]).json()
    assert (second["done"], len(second["records"])) == (True, 200)
    assert org.call("GET", "/query/01gnothing-2000").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Nope FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Nope = 1", "INVALID_FIELD"),
        ("SELECT Nope.Id FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id = ", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead LIMIT x", "MALFORMED_QUERY"),
        ("SELECT FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE LastName = 'open", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead; DROP", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
    ],
)
def test_what_cannot_be_answered_is_named(org, text, code):
    answer = org.query(text)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@given(st.text())
def test_any_text_is_a_query_or_refused(text):
    with suppress(ApiError):
        assert isinstance(parse(text), Query)


@given(st.text().filter(lambda text: "\x00" not in text))
def test_any_text_can_be_compared_with(text):
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert parse(f"SELECT Id FROM Lead WHERE LastName = '{quoted}'").where.value == text
