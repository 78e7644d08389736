"""One record at a time, and many: upserts by an external id, answered about each."""

from __future__ import annotations

import pytest

VISITOR = "Chat_Visitor_Id__c"
ANA = {"FirstName": "Ana", "LastName": "Petrova", "Company": "Example Ltd", "Email": "ana@example.com"}
PATH = f"/sobjects/Lead/{VISITOR}/web%3A42"


def codes(answer):
    return [one["errors"][0]["statusCode"] if one["errors"] else None for one in answer.json()]


def test_an_upsert_makes_a_record_and_changes_it_the_next_time(org):
    made, changed = org.call("PATCH", PATH, ANA), org.call("PATCH", PATH, {"FirstName": "Anna"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    assert (changed.status_code, changed.json()["created"]) == (200, False)
    assert made.json()["id"] == changed.json()["id"]
    (lead,) = org.records("Lead")
    assert (lead["FirstName"], lead["Company"], lead[VISITOR]) == ("Anna", "Example Ltd", "web:42")


def test_an_old_version_answers_a_change_without_a_body(org):
    org.call("PATCH", PATH, ANA)
    answer = org.call("PATCH", f"/services/data/v45.0{PATH}", {"FirstName": "Anna"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_an_id_is_18_characters_and_is_known_by_15_too(org):
    lead = org.lead()
    assert len(lead) == 18
    assert org.call("GET", f"/sobjects/Lead/{lead[:15]}").json()["Id"] == lead


def test_update_only_makes_nothing(org):
    assert org.call("PATCH", f"{PATH}?updateOnly=true", ANA).status_code == 404
    assert org.records("Lead") == []


def test_a_key_is_not_said_twice(org):
    answer = org.call("PATCH", PATH, {**ANA, VISITOR: "web:42"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_a_key_that_the_user_does_not_see_is_a_404(start):
    bare = start(prepared=False)
    answer = bare.call("PATCH", PATH, ANA)
    assert answer.status_code == 404
    assert answer.json()[0]["message"] == (
        f"Provided external ID field does not exist or is not accessible: {VISITOR}"
    )


def test_several_records_with_a_key_are_a_choice(org):
    first, second = org.lead("a", Email="twin@example.com"), org.lead("b", Email="twin@example.com")
    answer = org.call("PATCH", "/sobjects/Lead/Email/twin%40example.com", {"FirstName": "X"})
    assert answer.status_code == 404  # an e-mail is found by, but is no external id
    assert len({first, second}) == 2


def test_records_are_made_read_changed_and_deleted_by_id(org):
    made = org.call("POST", "/sobjects/Lead", ANA)
    lead = made.json()["id"]
    assert made.status_code == 201
    assert org.call("PATCH", f"/sobjects/Lead/{lead}", {"Title": "CEO"}).status_code == 204
    assert org.call("GET", f"/sobjects/Lead/{lead}?fields=Title").json()["Title"] == "CEO"
    assert org.call("DELETE", f"/sobjects/Lead/{lead}").status_code == 204
    assert org.call("GET", f"/sobjects/Lead/{lead}").status_code == 404
    again = org.call("DELETE", f"/sobjects/Lead/{lead}")
    assert (again.status_code, again.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")


def test_a_request_that_is_refused_is_a_list_with_error_codes(org):
    answer = org.call("POST", "/sobjects/Lead", {"FirstName": "Ana"})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "message": "Required fields are missing: [LastName, Company]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName", "Company"],
        }
    ]


def test_a_collection_is_answered_with_200_in_the_order_of_its_records(org):
    answer = org.upsert(
        "Lead",
        VISITOR,
        {**ANA, VISITOR: "web:42"},
        {"LastName": "(unknown)", "Company": "(unknown)", "Email": "not-an-email", VISITOR: "web:43"},
        {"FirstName": "Only", VISITOR: "web:46"},
        {**ANA, VISITOR: "web:47"},
    )
    assert answer.status_code == 200
    first, bad, incomplete, last = answer.json()
    assert (first["success"], first["created"], first["errors"]) == (True, True, [])
    assert bad == {
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_EMAIL_ADDRESS",
                "message": "Email: invalid email address: not-an-email",
                "fields": ["Email"],
            }
        ],
    }
    assert incomplete["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert last["success"]


def test_records_of_a_collection_that_share_a_key_all_fail_whatever_their_case(org):
    answer = org.upsert(
        "Lead", VISITOR, {**ANA, VISITOR: "WEB:1"}, {**ANA, VISITOR: "web:1"}, {**ANA, VISITOR: "web:2"}
    )
    assert codes(answer) == ["DUPLICATE_VALUE", "DUPLICATE_VALUE", None]
    assert len(org.records("Lead")) == 1


def test_a_key_is_found_whatever_its_case(org):
    assert org.lead("web:abc") == org.lead("WEB:ABC")


def test_a_collection_holds_200_records_of_one_object(org):
    many = [{**ANA, VISITOR: f"web:{number}"} for number in range(201)]
    assert org.upsert("Lead", VISITOR, *many).json()[0]["errorCode"] == "LIMIT_EXCEEDED"
    assert codes(org.upsert("Lead", VISITOR, {**ANA, VISITOR: "x", "attributes": {"type": "Contact"}})) == [
        "INVALID_INPUT"
    ]


def test_all_or_none_takes_back_what_was_written(org):
    org.lead("web:1", FirstName="Before")
    answer = org.upsert(
        "Lead",
        VISITOR,
        {"FirstName": "After", VISITOR: "web:1"},
        {"FirstName": "Only", VISITOR: "web:2"},
        {**ANA, VISITOR: "web:3"},
        allOrNone=True,
    )
    rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert codes(answer) == [rolled_back, "REQUIRED_FIELD_MISSING", rolled_back]
    assert [one["FirstName"] for one in org.records("Lead")] == ["Before"]


def test_an_unknown_column_refuses_the_whole_collection_or_one_record(org):
    records = ({**ANA, VISITOR: "web:1"}, {**ANA, VISITOR: "web:2", "Nope__c": "x"})
    whole = org.upsert("Lead", VISITOR, *records)
    assert whole.status_code == 400
    assert whole.json()[0]["message"] == "No such column 'Nope__c' on sobject of type Lead"
    assert org.records("Lead") == []
    org.change(unknown_column_refuses="record")
    assert codes(org.upsert("Lead", VISITOR, *records)) == [None, "INVALID_FIELD"]


def test_conversations_are_tied_to_leads_by_their_external_ids(org):
    lead = org.lead("web:42")
    answer = org.upsert(
        "Conversation__c",
        "Conversation_Id__c",
        {"Conversation_Id__c": "c-1", "Lead__r": {VISITOR: "web:42"}},
        {"Conversation_Id__c": "c-2", "Lead__r": {VISITOR: "web:does-not-exist"}},
        {"Conversation_Id__c": "c-3", "Lead__c": lead},
        {"Conversation_Id__c": "c-4", "Lead__c": "00QE00000000000AAA"},
    )
    assert codes(answer) == [None, "INVALID_FIELD", None, "INVALID_CROSS_REFERENCE_KEY"]
    assert answer.json()[1]["errors"][0]["message"] == (
        f"Foreign key external ID: web:does-not-exist not found for field {VISITOR} in entity Lead"
    )
    assert [one["Lead__c"] for one in org.records("Conversation__c")] == [lead, lead]


def test_a_task_is_of_a_lead_or_a_contact_which_has_to_be_said(org):
    lead = org.lead("web:42")
    key = "Chat_Conversation_Id__c"
    answer = org.upsert(
        "Task",
        key,
        {key: "c-1", "Subject": "Chat", "Who": {"attributes": {"type": "Lead"}, VISITOR: "web:42"}},
        {key: "c-2", "Subject": "Chat", "Who": {VISITOR: "web:42"}},
        {
            key: "c-3",
            "Subject": "Chat",
            "WhoId": lead,
            "WhatId": org.call("POST", "/sobjects/Account", {"Name": "A"}).json()["id"],
        },
    )
    assert codes(answer) == [None, "INVALID_FIELD", "FIELD_INTEGRITY_EXCEPTION"]
    (task,) = org.records("Task")
    assert (task["WhoId"], task["Status"], task["Priority"]) == (lead, "Not Started", "Normal")


def test_records_are_made_changed_shown_and_deleted_many_at_a_time(org):
    kinds = [{"attributes": {"type": "Lead"}, **ANA}, {"attributes": {"type": "Contact"}, "LastName": "P"}]
    made = org.call("POST", "/composite/sobjects", {"records": kinds}).json()
    lead, contact = (one["id"] for one in made)
    changed = org.call(
        "PATCH",
        "/composite/sobjects",
        {
            "records": [
                {"attributes": {"type": "Lead"}, "id": lead, "Title": "CEO"},
                {"attributes": {"type": "Lead"}, "id": contact},
            ]
        },
    )
    assert codes(changed) == [None, "INVALID_CROSS_REFERENCE_KEY"]
    shown = org.call(
        "POST", "/composite/sobjects/Lead", {"ids": [lead, "00Q000000000000AAA"], "fields": ["Title"]}
    )
    assert [one and one["Title"] for one in shown.json()] == ["CEO", None]
    deleted = org.call("DELETE", f"/composite/sobjects?ids={lead},{contact},{lead}")
    assert codes(deleted) == [None, None, "ENTITY_IS_DELETED"]


def test_a_record_in_the_recycle_bin_keeps_its_key_until_it_is_emptied(org):
    lead = org.lead("web:42")
    org.call("DELETE", f"/sobjects/Lead/{lead}")
    answer = org.upsert("Lead", VISITOR, {**ANA, VISITOR: "web:42"})
    assert codes(answer) == ["ENTITY_IS_DELETED"]
    org.call("DELETE", "/_emulator/recycle-bin")
    assert org.lead("web:42") != lead


def test_an_org_may_make_a_new_record_in_the_place_of_a_deleted_one(start):
    org = start(deleted_key="new")
    lead = org.lead("web:42")
    org.call("DELETE", f"/sobjects/Lead/{lead}")
    assert org.lead("web:42") != lead


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Email": "a@b"}, "INVALID_EMAIL_ADDRESS"),
        ({"LastName": "  "}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG"),
        ({"LastName": "😀" * 41}, "STRING_TOO_LONG"),
        ({"IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"OwnerId": "nobody"}, "MALFORMED_ID"),
    ],
)
def test_a_value_that_a_field_does_not_take_refuses_its_record(org, fields, code):
    assert codes(org.upsert("Lead", VISITOR, {**ANA, **fields, VISITOR: "web:1"})) == [code]
    assert org.records("Lead") == []


@pytest.mark.parametrize("fields", [{"LastName": 7}, {"Email": ["a"]}])
def test_a_wrong_type_refuses_the_whole_request(org, fields):
    answer = org.upsert("Lead", VISITOR, {**ANA, VISITOR: "web:1"}, {**ANA, **fields, VISITOR: "web:2"})
    assert answer.json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert org.records("Lead") == []


def test_texts_are_trimmed_and_moments_keep_whole_seconds(org):
    record = {
        "Conversation_Id__c": " c-1 ",
        "Started_At__c": "2026-11-22T10:14:03.987+01:00",
        "Satisfaction__c": 4.5,
    }
    org.upsert("Conversation__c", "Conversation_Id__c", record)
    (held,) = org.records("Conversation__c")
    assert held["Conversation_Id__c"] == "c-1"
    assert held["Started_At__c"] == "2026-11-22T09:14:03.000+0000"
    assert held["Satisfaction__c"] == 4.5


def test_a_line_end_may_count_twice(start):
    text = "x" * 31_999 + "\n" + "y"  # trimmed at its ends only
    org = start(newline_units=2)
    assert codes(org.upsert("Lead", VISITOR, {**ANA, VISITOR: "a", "Description": text[1:]})) == [
        "STRING_TOO_LONG"
    ]
    org.change(newline_units=1)
    assert codes(org.upsert("Lead", VISITOR, {**ANA, VISITOR: "a", "Description": text[1:]})) == [None]


def test_null_empties_a_field(org):
    org.lead("web:42", Title="CEO")
    org.lead("web:42", Title=None)
    (lead,) = org.records("Lead")
    assert "Title" not in lead
