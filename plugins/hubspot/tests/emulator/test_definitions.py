"""Properties, custom object types, plans, and what the account says of itself."""

from __future__ import annotations

import pytest

PROPERTIES = "/crm/properties/2026-09/contacts"
SCHEMAS = "/crm-object-schemas/2026-09/schemas"


def test_a_property_is_created_read_and_listed(hubspot):
    made = hubspot.define("contacts", "chat_visitor_id", hasUniqueValue=True)

    assert made.status_code == 201
    assert made.json()["hasUniqueValue"] is True
    assert hubspot.get(f"{PROPERTIES}/chat_visitor_id").json() == made.json()
    assert "chat_visitor_id" in {one["name"] for one in hubspot.get(PROPERTIES).json()["results"]}


def test_a_property_that_exists_is_a_409(hubspot):
    hubspot.define("contacts", "chat_visitor_id")

    answer = hubspot.define("contacts", "chat_visitor_id")

    assert answer.status_code == 409
    assert answer.json()["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Upper"},
        {"name": "1st"},
        {"type": "text"},
        {"type": "number", "fieldType": "select"},
        {"type": "enumeration", "fieldType": "select"},
        {"groupName": "nowhere"},
        {"type": "bool", "fieldType": "booleancheckbox", "hasUniqueValue": True},
    ],
)
def test_a_bad_definition_is_refused(hubspot, fields):
    body = {
        "name": "x",
        "label": "X",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
    }

    assert hubspot.post(PROPERTIES, {**body, **fields}).status_code == 400


def test_an_object_has_at_most_ten_unique_properties(hubspot):
    answers = [hubspot.define("contacts", f"key_{n}", hasUniqueValue=True).status_code for n in range(11)]

    assert answers == [201] * 10 + [400]


def test_uniqueness_is_set_at_creation_only(hubspot):
    hubspot.define("contacts", "chat_field")

    path = f"{PROPERTIES}/chat_field"

    assert hubspot.call("PATCH", path, json={"hasUniqueValue": True}).status_code == 400
    assert hubspot.call("PATCH", path, json={"label": "Chat"}).json()["label"] == "Chat"


def test_an_archived_property_is_gone(hubspot):
    hubspot.define("contacts", "chat_field")

    assert hubspot.call("DELETE", f"{PROPERTIES}/chat_field").status_code == 204
    assert hubspot.get(f"{PROPERTIES}/chat_field").status_code == 404
    assert hubspot.call("DELETE", f"{PROPERTIES}/email").status_code == 400


def test_nothing_is_found_by_a_unique_property_that_is_archived(hubspot):
    hubspot.define("contacts", "chat_field", hasUniqueValue=True)
    hubspot.create("contacts", chat_field="a")

    hubspot.call("DELETE", f"{PROPERTIES}/chat_field")
    hubspot.define("contacts", "chat_field")

    entry = {"id": "a", "idProperty": "chat_field", "properties": {}}
    assert hubspot.upsert("contacts", entry).status_code == 400
    hubspot.create("contacts", chat_field="a")


def test_properties_are_created_and_read_in_batches(hubspot):
    entry = {"label": "x", "type": "string", "fieldType": "text", "groupName": "contactinformation"}

    created = hubspot.post(
        f"{PROPERTIES}/batch/create", {"inputs": [{**entry, "name": "chat_a"}, {**entry, "name": "email"}]}
    )
    read = hubspot.post(f"{PROPERTIES}/batch/read", {"inputs": [{"name": "chat_a"}, {"name": "chat_b"}]})

    assert created.status_code == 207
    assert [one["name"] for one in created.json()["results"]] == ["chat_a"]
    assert [one["name"] for one in read.json()["results"]] == ["chat_a"]
    assert read.json()["errors"][0]["context"] == {"name": ["chat_b"]}


def test_a_group_takes_properties_once_it_is_made(hubspot):
    made = hubspot.post(f"{PROPERTIES}/groups", {"name": "chat", "label": "Chat"})

    assert made.status_code == 201
    assert hubspot.define("contacts", "chat_a", groupName="chat").status_code == 201
    assert "chat" in {one["name"] for one in hubspot.get(f"{PROPERTIES}/groups").json()["results"]}


def test_a_schema_makes_an_object_type(hubspot, schema):
    made = hubspot.post(SCHEMAS, schema).json()

    assert made["objectTypeId"] == f"2-{made['id']}"
    assert made["fullyQualifiedName"] == "p12345678_chat_conversation"
    ends = {(one["fromObjectTypeId"], one["toObjectTypeId"]) for one in made["associations"]}
    assert {(made["objectTypeId"], "0-1"), (made["objectTypeId"], "0-46")} <= ends
    assert [one["id"] for one in hubspot.get(SCHEMAS).json()["results"]] == [made["id"]]


@pytest.mark.parametrize("name", ["objectTypeId", "fullyQualifiedName", "name"])
def test_a_custom_object_is_addressed_by_any_of_its_names(hubspot, schema, name):
    made = hubspot.post(SCHEMAS, schema).json()

    assert hubspot.create(made[name], conversation_id="c1")
    assert hubspot.get(f"{SCHEMAS}/{made[name]}").json()["id"] == made["id"]


def test_a_custom_object_asks_for_its_required_properties(hubspot, conversations):
    entry = {"id": "x", "idProperty": "conversation_id", "properties": {"subject": "Price"}}

    missing = hubspot.objects(conversations, {"properties": {"subject": "Price"}})
    upserted = hubspot.upsert(conversations, entry)

    assert missing.json()["context"] == {"properties": ["conversation_id"]}
    assert upserted.json()["results"][0]["new"] is True


def test_conversations_are_upserted_by_their_id(hubspot, conversations):
    entry = {
        "id": "conv-1001",
        "idProperty": "conversation_id",
        "objectWriteTraceId": "0",
        "properties": {
            "conversation_id": "conv-1001",
            "channel": "live_chat",
            "started_at": "2026-11-22T09:14:03Z",
        },
    }
    wrong = {**entry, "id": "conv-1002", "objectWriteTraceId": "1"}
    wrong["properties"] = {"conversation_id": "conv-1002", "channel": "pigeon"}

    answer = hubspot.upsert(conversations, entry, wrong)

    assert answer.status_code == 207
    assert answer.json()["results"][0]["properties"]["started_at"] == "2026-11-22T09:14:03Z"
    assert "INVALID_OPTION" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("missing", ["labels", "searchableProperties", "properties", "associatedObjects"])
def test_a_schema_must_be_whole(hubspot, schema, missing):
    body = {name: value for name, value in schema.items() if name != missing}

    answer = hubspot.post(SCHEMAS, body)

    assert answer.status_code == 400
    assert missing in answer.json()["message"]


def test_a_schema_names_only_properties_it_defines(hubspot, schema):
    answer = hubspot.post(SCHEMAS, {**schema, "requiredProperties": ["ghost"]})

    assert (answer.status_code, "ghost" in answer.json()["message"]) == (400, True)


def test_a_schema_that_exists_is_a_409(hubspot, schema):
    hubspot.post(SCHEMAS, schema)

    assert hubspot.post(SCHEMAS, schema).status_code == 409


def test_a_schema_can_change_and_go(hubspot, conversations):
    labels = {"singular": "Chat", "plural": "Chats"}

    assert (
        hubspot.call("PATCH", f"{SCHEMAS}/{conversations}", json={"labels": labels}).json()["labels"]
        == labels
    )
    assert hubspot.call("DELETE", f"{SCHEMAS}/{conversations}").status_code == 204
    assert hubspot.get(f"{SCHEMAS}/{conversations}").status_code == 404


def test_an_object_type_with_records_stays(hubspot, conversations):
    hubspot.create(conversations, conversation_id="c1")

    assert hubspot.call("DELETE", f"{SCHEMAS}/{conversations}").status_code == 400


def test_an_account_has_at_most_ten_object_types(hubspot, schema):
    answers = [hubspot.post(SCHEMAS, {**schema, "name": f"kind_{n}"}).status_code for n in range(11)]

    assert answers == [201] * 10 + [400]


@pytest.mark.parametrize("plan", ["free", "starter", "professional"])
def test_only_enterprise_has_custom_objects(hubspot, schema, plan):
    hubspot.post("/_emulator/settings", {"plan": plan})

    for answer in (hubspot.get(SCHEMAS), hubspot.post(SCHEMAS, schema)):
        assert answer.status_code == 403
        assert answer.json()["category"] == "MISSING_SCOPES"


def test_the_account_describes_itself(hubspot, conversations):
    hubspot.create("contacts", firstname="Ana")
    hubspot.create(conversations, conversation_id="c1")

    records = hubspot.get("/crm/limits/2026-09/records").json()
    types = hubspot.get("/crm/limits/2026-09/custom-object-types").json()
    details = hubspot.get("/account-info/2026-09/details").json()

    usage = {one["objectTypeId"]: one["usage"] for one in records["hubspotDefinedObjectTypes"]}
    assert usage == {"0-1": 1, "0-46": 0}
    assert records["customObjectTypes"]["overallUsage"] == 1
    assert (types["limit"], types["usage"]) == (10, 1)
    assert (details["portalId"], details["timeZone"], details["utcOffset"]) == (12345678, "UTC", "+00:00")


def test_legacy_and_dated_paths_reach_the_same_records(hubspot, schema):
    kind = hubspot.post("/crm-object-schemas/v3/schemas", schema).json()["objectTypeId"]
    made = hubspot.post("/crm/v3/objects/contacts", {"properties": {"firstname": "Ana"}}).json()["id"]
    talk = hubspot.create(kind, conversation_id="c1")
    inputs = {"inputs": [{"from": {"id": talk}, "to": {"id": made}}]}
    hubspot.post(f"/crm/v4/associations/{kind}/contacts/batch/associate/default", inputs)

    assert hubspot.properties("contacts", made, "firstname") == {"firstname": "Ana"}
    linked = hubspot.objects(f"{kind}/{talk}/associations/contacts", method="GET").json()["results"]
    assert [one["toObjectId"] for one in linked] == [made]


def test_other_dates_are_served_when_asked_for(start):
    hubspot = start(api_version=["2026-03", "2026-09"])

    answers = [
        hubspot.get(f"/crm/objects/{date}/contacts").status_code for date in ("2026-03", "2026-09", "2025-01")
    ]

    assert answers == [200, 200, 404]


def test_a_link_between_types_can_be_defined_later(hubspot, schema):
    kind = hubspot.post(SCHEMAS, {**schema, "associatedObjects": []}).json()["objectTypeId"]
    body = {"fromObjectTypeId": kind, "toObjectTypeId": "0-1", "name": "talked_to"}

    made = hubspot.post(f"{SCHEMAS}/{kind}/associations", body)

    assert (made.status_code, made.json()["name"]) == (201, "talked_to")
    labels = hubspot.get(f"/crm/associations/2026-09/{kind}/contacts/labels").json()["results"]
    assert [str(one["typeId"]) for one in labels] == [made.json()["id"]]
