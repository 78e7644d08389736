"""Single records: identity, validation, archiving, merging, lists and search."""

from __future__ import annotations

import json

import pytest
from private_values import HUBSPOT_TOKEN


def test_emails_are_trimmed_lower_cased_and_unique(hubspot):
    first = hubspot.create("contacts", email=" Lee@Example.com ")

    answer = hubspot.objects("contacts", {"properties": {"email": "LEE@example.com"}})

    assert answer.status_code == 409
    body = answer.json()
    assert body["message"] == f"Contact already exists. Existing ID: {first}"
    assert (body["category"], body["error"]) == ("OBJECT_ALREADY_EXISTS", "CONTACT_EXISTS")
    assert body["errors"][0]["in"] == "email"
    assert hubspot.properties("contacts", first, "email") == {"email": "lee@example.com"}


def test_another_unique_property_refuses_a_value_that_is_taken(visitors):
    visitors.create("contacts", chat_visitor_id="v1")

    answer = visitors.objects("contacts", {"properties": {"chat_visitor_id": "v1"}})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"


def test_a_record_is_read_by_a_unique_property(visitors):
    made = visitors.create("contacts", chat_visitor_id="web:42")

    answer = visitors.objects("contacts/web:42?idProperty=chat_visitor_id", method="GET")

    assert answer.json()["id"] == made


def test_a_record_that_is_not_there_is_404(hubspot):
    answer = hubspot.objects("contacts/12345", method="GET")

    assert (answer.status_code, answer.json()["category"]) == (404, "OBJECT_NOT_FOUND")


def test_an_empty_string_clears_and_an_absent_property_stays(hubspot):
    made = hubspot.create("contacts", firstname="Ana", lastname="Petrova")

    hubspot.objects(f"contacts/{made}", {"properties": {"firstname": ""}}, method="PATCH")

    names = hubspot.properties("contacts", made, "firstname", "lastname")
    assert names == {"firstname": None, "lastname": "Petrova"}


@pytest.mark.parametrize(
    ("fields", "value", "code"),
    [
        ({"type": "number", "fieldType": "number"}, "twelve", "INVALID_INTEGER"),
        ({"type": "bool", "fieldType": "booleancheckbox"}, "yes", "INVALID_OPTION"),
        ({"type": "datetime", "fieldType": "date"}, "yesterday", "INVALID_DATE"),
        ({"type": "date", "fieldType": "date"}, "31/12/2026", "INVALID_DATE"),
        ({"options": [{"label": "A", "value": "a"}], "type": "enumeration", "fieldType": "select"}, "A",
         "INVALID_OPTION"),
        ({"type": "string", "fieldType": "textarea"}, "x" * 65_537, "PROPERTY_VALUE_TOO_LONG"),
    ],
)  # fmt: skip
def test_a_value_must_fit_its_property(hubspot, fields, value, code):
    assert hubspot.define("contacts", "chat_field", **fields).status_code == 201

    answer = hubspot.objects("contacts", {"properties": {"chat_field": value}})

    assert answer.status_code == 400
    embedded = json.loads(answer.json()["message"].partition(": ")[2])
    assert [(one["error"], one["name"]) for one in embedded] == [(code, "chat_field")]


@pytest.mark.parametrize(
    ("fields", "value", "stored"),
    [
        ({"type": "number", "fieldType": "number"}, "-12.5", "-12.5"),
        ({"type": "bool", "fieldType": "booleancheckbox"}, "true", "true"),
        ({"type": "datetime", "fieldType": "date"}, "1767225600000", "2026-01-01T00:00:00Z"),
        ({"type": "datetime", "fieldType": "date"}, "2026-11-22T10:00:00+01:00", "2026-11-22T09:00:00Z"),
        ({"type": "date", "fieldType": "date"}, "2026-12-31", "2026-12-31"),
        ({"type": "string", "fieldType": "textarea"}, "x" * 65_536, "x" * 65_536),
    ],
)
def test_a_good_value_is_stored_in_one_form(hubspot, fields, value, stored):
    hubspot.define("contacts", "chat_field", **fields)
    made = hubspot.create("contacts", chat_field=value)

    assert hubspot.properties("contacts", made, "chat_field") == {"chat_field": stored}


def test_several_options_are_joined_by_semicolons(hubspot):
    options = [{"label": value, "value": value} for value in "abc"]
    hubspot.define("contacts", "topics", type="enumeration", fieldType="checkbox", options=options)

    assert hubspot.objects("contacts", {"properties": {"topics": "a;c"}}).status_code == 201
    assert hubspot.objects("contacts", {"properties": {"topics": "a;z"}}).status_code == 400


def test_read_only_properties_are_refused(hubspot):
    answer = hubspot.objects("contacts", {"properties": {"hs_object_id": "7"}})

    assert answer.json()["errors"][0]["code"] == "READ_ONLY_VALUE"


def test_the_lifecycle_stage_only_moves_forward_unless_cleared(hubspot):
    made = hubspot.create("contacts", lifecyclestage="customer")

    def stage_after(value):
        hubspot.objects(f"contacts/{made}", {"properties": {"lifecyclestage": value}}, method="PATCH")
        return hubspot.properties("contacts", made, "lifecyclestage")["lifecyclestage"]

    assert stage_after("lead") == "customer"
    assert stage_after("evangelist") == "evangelist"
    assert stage_after("") is None
    assert stage_after("lead") == "lead"


def test_a_note_needs_a_timestamp(hubspot):
    answer = hubspot.objects("notes", {"properties": {"hs_note_body": "<p>Hello</p>"}})

    assert answer.status_code == 400
    assert answer.json()["context"] == {"properties": ["hs_timestamp"]}


def test_an_archived_record_is_gone_and_its_email_is_free(hubspot):
    made = hubspot.create("contacts", email="ana@example.com")

    assert hubspot.objects(f"contacts/{made}", method="DELETE").status_code == 204
    assert hubspot.objects(f"contacts/{made}", method="DELETE").status_code == 204
    assert hubspot.objects(f"contacts/{made}", method="GET").status_code == 404
    archived = hubspot.objects(f"contacts/{made}?archived=true", method="GET").json()
    assert archived["archived"] is True
    assert archived["archivedAt"]
    assert hubspot.create("contacts", email="ana@example.com") != made


def test_a_gdpr_delete_leaves_nothing(hubspot):
    made = hubspot.create("contacts", email="ana@example.com")

    assert hubspot.objects("contacts/gdpr-delete", {"objectId": made}).status_code == 204
    assert hubspot.objects(f"contacts/{made}?archived=true", method="GET").status_code == 404
    assert hubspot.state()["records"]["contacts"] == []


def test_a_gdpr_delete_forgets_what_was_merged_too(hubspot):
    one, other = (hubspot.create("contacts", firstname=name) for name in ("Ana", "Lee"))
    hubspot.post("/_emulator/merge", {"primary": one, "other": other})

    hubspot.objects("contacts/gdpr-delete", {"objectId": one})

    assert hubspot.state()["records"]["contacts"] == []


def test_a_merged_contact_answers_to_both_ids_and_both_emails(visitors):
    one = visitors.create("contacts", email="ana@example.com", firstname="Ana")
    other = visitors.create("contacts", email="a.p@example.com", firstname="A.", lastname="Petrova")

    merged = visitors.objects("contacts/merge", {"primaryObjectId": one, "objectIdToMerge": other})

    assert merged.json()["id"] == one
    names = visitors.properties("contacts", other, "firstname", "lastname")
    assert names == {"firstname": "Ana", "lastname": "Petrova"}
    for email in ("ana@example.com", "a.p@example.com"):
        entry = {"id": email, "idProperty": "email", "properties": {"email": "ana@example.com"}}
        [result] = visitors.upsert("contacts", entry).json()["results"]
        assert (result["id"], result["new"]) == (one, False)


def test_a_second_address_that_becomes_the_first_changes_places_with_it(visitors):
    one, other = (visitors.create("contacts", email=f"{name}@example.com") for name in ("new", "old"))
    visitors.post("/_emulator/merge", {"primary": one, "other": other})

    entry = {"id": "old@example.com", "idProperty": "email", "properties": {"email": "old@example.com"}}
    [result] = visitors.upsert("contacts", entry).json()["results"]

    assert result["id"] == one
    assert visitors.properties("contacts", one, "email", "hs_additional_emails") == {
        "email": "old@example.com",
        "hs_additional_emails": "new@example.com",
    }
    answer = visitors.objects("contacts", {"properties": {"email": "new@example.com"}})
    assert f"Existing ID: {one}" in answer.json()["message"]


def test_the_links_of_a_merged_contact_move(hubspot):
    one, other = (hubspot.create("contacts", firstname=name) for name in ("Ana", "Lee"))
    note = hubspot.create("notes", hs_timestamp="2026-11-22T09:31:40Z")
    hubspot.objects(f"notes/{note}/associations/default/contacts/{other}", method="PUT")

    hubspot.post("/_emulator/merge", {"primary": one, "other": other})

    linked = hubspot.objects(f"notes/{note}/associations/contacts", method="GET").json()["results"]
    assert [end["toObjectId"] for end in linked] == [one]


def test_a_list_comes_in_pages(hubspot):
    made = [hubspot.create("contacts", firstname=str(n)) for n in range(5)]

    seen, after = [], ""
    while after is not None:
        page = hubspot.objects(f"contacts?limit=2&after={after}", method="GET").json()
        seen += [one["id"] for one in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")

    assert seen == made


def search(hubspot, **body):
    answer = hubspot.objects("contacts/search", body)
    assert answer.status_code == 200, answer.text
    return answer


def email_is(value, operator="EQ"):
    return [{"filters": [{"propertyName": "email", "operator": operator, "value": value}]}]


def test_search_lags_behind_writes(hubspot):
    hubspot.create("contacts", email="ana@example.com")

    assert search(hubspot, filterGroups=email_is("ana@example.com")).json()["total"] == 0
    hubspot.advance(5.1)
    assert search(hubspot, filterGroups=email_is("ANA@example.com")).json()["total"] == 1


def test_search_shows_an_old_state_until_the_lag_is_over(hubspot):
    made = hubspot.create("contacts", firstname="Ana")
    hubspot.advance(6)
    hubspot.objects(f"contacts/{made}", {"properties": {"firstname": "Anna"}}, method="PATCH")

    [found] = search(hubspot).json()["results"]

    assert found["properties"]["firstname"] == "Ana"


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ({"operator": "IN", "values": ["Ana", "Lee"]}, {"Ana", "Lee"}),
        ({"operator": "NOT_IN", "values": ["ana"]}, {"Lee", "Ana Maria"}),
        ({"operator": "NEQ", "value": "Lee"}, {"Ana", "Ana Maria"}),
        ({"operator": "CONTAINS_TOKEN", "value": "mar*"}, {"Ana Maria"}),
        ({"operator": "HAS_PROPERTY"}, {"Ana", "Lee", "Ana Maria"}),
        ({"operator": "NOT_HAS_PROPERTY"}, set()),
        ({"operator": "GT", "value": "B"}, {"Lee"}),
        ({"operator": "BETWEEN", "value": "Ana", "highValue": "Ana Z"}, {"Ana", "Ana Maria"}),
    ],
)
def test_search_compares(hubspot, test, found):
    for name in ("Ana", "Lee", "Ana Maria"):
        hubspot.create("contacts", firstname=name)
    hubspot.advance(6)

    results = search(hubspot, filterGroups=[{"filters": [{"propertyName": "firstname", **test}]}])

    assert {one["properties"]["firstname"] for one in results.json()["results"]} == found


def test_search_sorts_and_pages(hubspot):
    for name in ("b", "c", "a"):
        hubspot.create("contacts", firstname=name)
    hubspot.advance(6)
    sorts = [{"propertyName": "firstname", "direction": "DESCENDING"}]

    first = search(hubspot, sorts=sorts, limit=2).json()
    rest = search(hubspot, sorts=sorts, limit=2, after=first["paging"]["next"]["after"]).json()

    names = [one["properties"]["firstname"] for one in first["results"] + rest["results"]]
    assert names == ["c", "b", "a"]


def test_a_search_for_an_unknown_property_is_refused(hubspot):
    body = {"filterGroups": [{"filters": [{"propertyName": "shoe_size", "operator": "EQ", "value": "44"}]}]}

    assert hubspot.objects("contacts/search", body).status_code == 400


def test_an_unknown_object_type_is_refused(hubspot):
    answer = hubspot.objects("spaceships", {"properties": {}})

    assert answer.json()["message"] == "Unable to infer object type from: spaceships"


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "null"])
def test_a_body_that_is_no_object_is_refused(hubspot, body):
    answer = hubspot.session.post(
        f"{hubspot.url}/crm/objects/2026-09/contacts",
        data=body,
        headers={"Authorization": f"Bearer {HUBSPOT_TOKEN}", "Content-Type": "application/json"},
        timeout=10,
    )

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_a_gdpr_delete_can_name_the_email(hubspot):
    hubspot.create("contacts", email="ana@example.com")
    body = {"objectId": "ana@example.com", "idProperty": "email"}

    assert [hubspot.objects("contacts/gdpr-delete", body).status_code for _ in range(2)] == [204, 204]
    assert hubspot.state()["records"]["contacts"] == []


def test_archived_records_are_listed_and_read_apart(hubspot):
    kept, gone = (hubspot.create("contacts", firstname=name) for name in ("Ana", "Lee"))
    hubspot.objects(f"contacts/{gone}", method="DELETE")

    listed = hubspot.objects("contacts?archived=true", method="GET").json()["results"]
    body = {"properties": [], "inputs": [{"id": kept}, {"id": gone}]}
    read = hubspot.objects("contacts/batch/read?archived=true", body).json()["results"]

    assert [one["id"] for one in listed] == [one["id"] for one in read] == [gone]


def test_search_looks_for_words_anywhere(hubspot):
    hubspot.create("contacts", firstname="Ana", city="Lyon")
    hubspot.create("contacts", firstname="Lee", city="Nice")
    hubspot.advance(6)

    [found] = search(hubspot, query="lyo").json()["results"]

    assert found["properties"]["firstname"] == "Ana"
