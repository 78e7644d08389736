"""What an org does of its own: duplicate rules, conversion, person accounts."""

from __future__ import annotations

import pytest

VISITOR = "Chat_Visitor_Id__c"
ALLOW = {"Sforce_Duplicate_Rule_Header": "allowSave=true; includeRecordDetails=false"}
TWIN = {"LastName": "Twin", "Company": "C", "Email": "twin@example.com"}


def codes(answer):
    return [one["errors"][0]["statusCode"] if one["errors"] else None for one in answer.json()]


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [("off", [None, None]), ("alert", ["DUPLICATES_DETECTED", None]), ("block", ["DUPLICATES_DETECTED"] * 2)],
)
def test_a_second_record_with_an_address_is_held_up_or_kept_out(start, rule, allowed):
    org = start(duplicates=rule)
    org.lead("web:1", Email="twin@example.com")
    plain = codes(org.upsert("Lead", VISITOR, {**TWIN, VISITOR: "web:2"}))
    asked = codes(org.upsert("Lead", VISITOR, {**TWIN, VISITOR: "web:3"}, headers=ALLOW))
    assert [*plain, *asked] == allowed


def test_a_contact_is_a_duplicate_too_and_an_unchanged_record_is_none(start):
    org = start(duplicates="block")
    org.contact("web:1", Email="twin@example.com")
    assert codes(org.upsert("Lead", VISITOR, {**TWIN, VISITOR: "web:2"})) == ["DUPLICATES_DETECTED"]
    assert org.contact("web:1", Email="twin@example.com", Title="CEO")


def test_the_answer_about_a_single_record_names_the_others_under_a_misspelt_name(start):
    org = start(duplicates="alert")
    first = org.lead("web:1", Email="twin@example.com")
    (error,) = org.call("POST", "/sobjects/Lead", TWIN).json()
    (match,) = error["duplicateResut"]["matchResults"]
    assert match["matchRecords"][0]["record"]["Id"] == first


def test_a_converted_lead_is_read_only_and_names_its_contact(org):
    lead = org.lead("web:42", Email="ana@example.com")
    made = org.convert(lead)
    assert codes(org.upsert("Lead", VISITOR, {"Title": "CEO", VISITOR: "web:42"})) == [
        "CANNOT_UPDATE_CONVERTED_LEAD"
    ]
    (row,) = org.rows(
        f"SELECT IsConverted, ConvertedContactId, ConvertedAccountId FROM Lead WHERE {VISITOR} = 'web:42'"
    )
    assert row == {
        "IsConverted": True,
        "ConvertedContactId": made["contact"],
        "ConvertedAccountId": made["account"],
    }
    (contact,) = org.records("Contact")
    assert contact["Email"] == "ana@example.com"
    assert VISITOR not in contact


def test_a_conversion_may_take_the_visitors_id_over(start):
    org = start(maps_visitor=True)
    org.convert(org.lead("web:42"))
    assert org.records("Contact")[0][VISITOR] == "web:42"


def test_a_lead_can_be_converted_into_a_contact_that_is_there(org):
    contact = org.contact("other")
    assert org.convert(org.lead("web:42"), contact=contact)["contact"] == contact
    again = org.call("POST", "/_emulator/convert", {"lead": org.records("Lead")[0]["Id"]})
    assert again.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"


@pytest.mark.parametrize(("rule", "code"), [("refused", "CANNOT_UPDATE_CONVERTED_LEAD"), ("allowed", None)])
def test_a_new_lookup_to_a_converted_lead_is_refused_or_not_and_an_old_one_stays(start, rule, code):
    org = start(converted_links=rule)
    lead = org.lead("web:42")
    talk = {"Conversation_Id__c": "c-1", "Lead__r": {VISITOR: "web:42"}}
    org.upsert("Conversation__c", "Conversation_Id__c", talk)
    org.convert(lead)
    again = org.upsert("Conversation__c", "Conversation_Id__c", {**talk, "Subject__c": "x"})
    new = org.upsert("Conversation__c", "Conversation_Id__c", {**talk, "Conversation_Id__c": "c-2"})
    assert (codes(again), codes(new)) == ([None], [code])


def test_activities_follow_a_conversion(org):
    lead = org.lead("web:42")
    org.call("POST", "/sobjects/Task", {"Subject": "Chat", "WhoId": lead})
    made = org.convert(lead)
    assert org.records("Task")[0]["WhoId"] == made["contact"]


def test_a_person_account_has_a_contact_that_only_the_account_changes(start):
    org = start(person_accounts=True)
    key = "Chat_Visitor_Id__pc"
    (made,) = org.upsert(
        "Account", key, {key: "web:42", "LastName": "P", "PersonEmail": "p@example.com"}
    ).json()
    assert made["success"]
    (contact,) = org.records("Contact")
    assert (contact["LastName"], contact["Email"], contact[VISITOR]) == ("P", "p@example.com", "web:42")
    assert org.records("Account")[0]["PersonContactId"] == contact["Id"]
    refused = org.upsert("Contact", VISITOR, {VISITOR: "web:42", "LastName": "Q"})
    assert codes(refused) == ["INVALID_TYPE_FOR_OPERATION"]
    org.upsert("Account", key, {key: "web:42", "LastName": "Q"})
    assert [one["LastName"] for one in org.records("Contact")] == ["Q"]


def test_a_lead_without_a_company_becomes_a_person_account(start):
    org = start(person_accounts=True)
    lead = org.lead("web:42", Company=None)
    made = org.convert(lead)
    (account,) = org.records("Account")
    assert (account["Id"], account["IsPersonAccount"], account["PersonContactId"]) == (
        made["account"],
        True,
        made["contact"],
    )


def test_without_person_accounts_a_lead_needs_a_company(org):
    answer = org.upsert("Lead", VISITOR, {"LastName": "P", VISITOR: "web:1"})
    assert answer.json()[0]["errors"][0]["fields"] == ["Company"]
