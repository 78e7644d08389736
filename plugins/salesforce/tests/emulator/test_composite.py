"""Several calls in one: answered with 200 whatever became of the parts."""

from __future__ import annotations

import pytest

BASE = "/services/data/v68.0"
VISITOR = "Chat_Visitor_Id__c"


def leads(*visitors, **more):
    records = [
        {"attributes": {"type": "Lead"}, "LastName": "P", "Company": "C", VISITOR: one} for one in visitors
    ]
    url = f"{BASE}/composite/sobjects/Lead/{VISITOR}"
    return {"method": "PATCH", "url": url, "referenceId": "leads", "body": {"records": records}, **more}


def conversations(*pairs, **more):
    records = [
        {"attributes": {"type": "Conversation__c"}, "Conversation_Id__c": key, "Lead__r": {VISITOR: visitor}}
        for key, visitor in pairs
    ]
    url = f"{BASE}/composite/sobjects/Conversation__c/Conversation_Id__c"
    return {"method": "PATCH", "url": url, "referenceId": "talks", "body": {"records": records}, **more}


def composite(org, *parts, **options):
    return org.call("POST", "/composite", {"allOrNone": False, "compositeRequest": list(parts), **options})


def test_leads_and_their_conversations_in_one_call(org):
    answer = composite(org, leads("web:1"), conversations(("c-1", "web:1")), collateSubrequests=False)
    first, second = answer.json()["compositeResponse"]
    assert (first["httpStatusCode"], first["referenceId"], first["body"][0]["success"]) == (
        200,
        "leads",
        True,
    )
    assert second["body"][0]["success"]
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/100000"


def test_the_order_of_collated_parts_is_not_to_be_relied_on(org):
    answer = composite(org, leads("web:1"), conversations(("c-1", "web:1")))
    assert not answer.json()["compositeResponse"][1]["body"][0]["success"]


def test_headers_other_than_a_few_have_to_be_given_to_each_part(org):
    org.change(duplicates="alert")
    org.lead("web:0", Email="twin@example.com")
    part = leads("web:1")
    part["body"]["records"][0]["Email"] = "twin@example.com"
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    body = {"compositeRequest": [part], "collateSubrequests": False}
    outer = org.call("POST", "/composite", body, Sforce_Duplicate_Rule_Header="allowSave=true")
    inner = composite(org, {**part, "httpHeaders": header})
    results = [answer.json()["compositeResponse"][0]["body"][0]["success"] for answer in (outer, inner)]
    assert results == [False, True]


def test_a_part_may_use_the_answer_of_another(org):
    made = {
        "method": "POST",
        "url": f"{BASE}/sobjects/Lead",
        "referenceId": "lead",
        "body": {"LastName": "P", "Company": "C"},
    }
    task = {
        "method": "POST",
        "url": f"{BASE}/sobjects/Task",
        "referenceId": "task",
        "body": {"Subject": "Chat", "WhoId": "@{lead.id}"},
    }
    first, second = composite(org, made, task).json()["compositeResponse"]
    assert (first["httpStatusCode"], second["httpStatusCode"]) == (201, 201)
    assert org.records("Task")[0]["WhoId"] == first["body"]["id"]


def test_what_refers_to_a_failure_is_halted(org):
    made = {"method": "POST", "url": f"{BASE}/sobjects/Lead", "referenceId": "lead", "body": {}}
    shown = {"method": "GET", "url": f"{BASE}/sobjects/Lead/@{{lead.id}}", "referenceId": "shown"}
    first, second = composite(org, made, shown).json()["compositeResponse"]
    assert first["httpStatusCode"] == 400
    assert second["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_all_or_none_takes_everything_back(org):
    bad = {"method": "POST", "url": f"{BASE}/sobjects/Lead", "referenceId": "bad", "body": {}}
    answer = composite(org, leads("web:1"), bad, allOrNone=True)
    first, second = answer.json()["compositeResponse"]
    assert first["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert second["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert org.records("Lead") == []


@pytest.mark.parametrize("count", [0, 26])
def test_1_to_25_parts_are_expected(org, count):
    parts = [
        {"method": "GET", "url": f"{BASE}/limits", "referenceId": f"r{number}"} for number in range(count)
    ]
    assert composite(org, *parts).json()[0]["errorCode"] == "LIMIT_EXCEEDED"


def test_five_of_the_parts_may_be_collections_or_queries(org):
    parts = [leads("web:1", referenceId=f"r{number}") for number in range(6)]
    assert composite(org, *parts).status_code == 400
    assert composite(org, *parts[:5]).status_code == 200


def test_a_path_that_leads_nowhere_is_the_failure_of_its_part(org):
    part = {"method": "GET", "url": f"{BASE}/nowhere", "referenceId": "a"}
    (answer,) = composite(org, part).json()["compositeResponse"]
    assert answer["httpStatusCode"] == 404


def test_a_part_that_lacks_something_refuses_the_call(org):
    assert composite(org, {"method": "GET"}).json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    twice = {"method": "GET", "url": f"{BASE}/limits", "referenceId": "a"}
    assert composite(org, twice, twice).status_code == 400
