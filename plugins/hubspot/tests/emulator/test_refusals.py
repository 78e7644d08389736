"""Requests that HubSpot refuses for their shape: 4xx that says what is wrong, nothing written."""

from __future__ import annotations

import pytest

OBJECTS = "/crm/objects/2026-09"
PAIRS = "/crm/associations/2026-09/notes/contacts/batch"
PROPERTIES = "/crm/properties/2026-09/contacts"
SCHEMAS = "/crm-object-schemas/2026-09/schemas"
TEXT = {"label": "X", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
CHOICE = {**TEXT, "name": "x", "type": "enumeration", "fieldType": "select"}
FILTER = {"propertyName": "email", "operator": "EQ", "value": "a@example.com"}


@pytest.mark.parametrize(
    ("path", "body", "names"),
    [
        (f"{OBJECTS}/contacts", {}, "properties"),
        (f"{OBJECTS}/contacts/batch/upsert", {}, "inputs"),
        (f"{OBJECTS}/contacts/batch/upsert", {"inputs": []}, "inputs"),
        (f"{OBJECTS}/contacts/batch/upsert", {"inputs": ["x"]}, "inputs[0]"),
        (f"{OBJECTS}/contacts/batch/upsert", {"inputs": [{"properties": {}}]}, "id"),
        (f"{OBJECTS}/contacts/batch/upsert", {"inputs": [{"id": "x", "idProperty": "email"}]}, "properties"),
        (f"{OBJECTS}/contacts/batch/upsert", {"inputs": [{"id": "x", "properties": {}}]}, "non-unique"),
        (f"{OBJECTS}/contacts/batch/read", {"idProperty": "phone", "inputs": [{"id": "1"}]}, "non-unique"),
        (f"{OBJECTS}/contacts/search", {"limit": 201}, "limit"),
        (f"{OBJECTS}/contacts/search", {"limit": "x"}, "limit"),
        (f"{OBJECTS}/contacts/search", {"after": "9999"}, "10000"),
        (f"{OBJECTS}/contacts/search", {"filterGroups": [{}] * 6}, "filterGroups"),
        (f"{OBJECTS}/contacts/search", {"filterGroups": [{"filters": [FILTER] * 7}]}, "filters"),
        (f"{OBJECTS}/contacts/search", {"filterGroups": [{"filters": [{**FILTER, "operator": "IS"}]}]}, "IS"),
        (f"{OBJECTS}/contacts/merge", {"primaryObjectId": "1"}, "not found"),
        (f"{OBJECTS}/notes/merge", {"primaryObjectId": "1", "objectIdToMerge": "2"}, "notes"),
        (f"{PAIRS}/associate/default", {"inputs": [{"from": {"id": "1"}}]}, "to"),
        (f"{PAIRS}/create", {"inputs": [{"from": {"id": "1"}, "to": {"id": "2"}}]}, "types"),
        (f"{PAIRS}/create", {"inputs": [{"from": {"id": "1"}, "to": {"id": "2"}, "types": [{}]}]}, "None"),
        (PROPERTIES, TEXT, "name"),
        (PROPERTIES, {**CHOICE, "options": [{"label": "A"}]}, "options[0]"),
        (PROPERTIES, {**CHOICE, "options": [{"label": "A", "value": "a"}] * 2}, "unique"),
        (f"{PROPERTIES}/groups", {"name": "chat"}, "label"),
    ],
)
def test_a_malformed_request_is_refused_by_name(hubspot, path, body, names):
    answer = hubspot.post(path, body)

    assert answer.status_code in {400, 404}
    assert names in answer.json()["message"]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"name": "Chat"}, "name"),
        ({"labels": {"singular": "Chat"}}, "labels"),
        ({"properties": "none"}, "properties"),
        ({"properties": [{**TEXT, "name": "a"}] * 2, "requiredProperties": []}, "same name"),
        ({"properties": [{**TEXT, "name": f"k{n}", "hasUniqueValue": True} for n in range(11)]}, "unique"),
        ({"associatedObjects": ["spaceships"]}, "spaceships"),
    ],
)
def test_a_malformed_schema_is_refused_by_name(hubspot, schema, changes, names):
    answer = hubspot.post(SCHEMAS, {**schema, **changes})

    assert answer.status_code == 400
    assert names in answer.json()["message"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x"])
def test_a_list_has_pages_of_at_most_100(hubspot, query):
    assert hubspot.get(f"{OBJECTS}/contacts?{query}").status_code == 400


def test_a_body_must_be_json(hubspot):
    assert hubspot.call("POST", f"{OBJECTS}/contacts", data={"a": "b"}).status_code == 415


def test_a_token_request_must_be_a_form(hubspot):
    assert hubspot.post("/oauth/2026-09/token", {"grant_type": "refresh_token"}).status_code == 415


def test_a_method_that_is_not_there_is_405(hubspot):
    assert hubspot.call("DELETE", f"{OBJECTS}/contacts").status_code == 405


def test_a_record_can_not_be_merged_with_itself(hubspot):
    made = hubspot.create("contacts", firstname="Ana")

    answer = hubspot.objects("contacts/merge", {"primaryObjectId": made, "objectIdToMerge": made})

    assert answer.status_code == 400


def test_a_required_property_can_not_be_cleared(hubspot):
    note = hubspot.create("notes", hs_timestamp="2026-11-22T09:31:40Z")

    answer = hubspot.objects(f"notes/{note}", {"properties": {"hs_timestamp": ""}}, method="PATCH")

    assert answer.json()["context"] == {"properties": ["hs_timestamp"]}


def test_a_group_that_exists_is_a_409(hubspot):
    group = {"name": "chat", "label": "Chat"}
    hubspot.post(f"{PROPERTIES}/groups", group)

    assert hubspot.post(f"{PROPERTIES}/groups", group).status_code == 409


def test_hubspots_own_properties_keep_their_type(hubspot):
    answer = hubspot.call("PATCH", f"{PROPERTIES}/email", json={"fieldType": "textarea"})

    assert answer.status_code == 400


def test_authorization_needs_the_app(hubspot):
    answer = hubspot.get("/oauth/authorize?client_id=other&redirect_uri=http://localhost/")

    assert answer.json()["status"] == "BAD_CLIENT_ID"
