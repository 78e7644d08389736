"""Links between records."""

from __future__ import annotations

import pytest

NOTE = {"hs_timestamp": "2026-11-22T09:31:40Z"}
NOTE_TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}
BATCH = "/crm/associations/2026-09/{}/{}/batch/{}"


def pair(one, other):
    return {"from": {"id": one}, "to": {"id": other}}


def linked(hubspot, path):
    results = hubspot.objects(path, method="GET").json()["results"]
    return [(end["toObjectId"], end["associationTypes"][0]["typeId"]) for end in results]


def test_a_note_is_created_with_its_association(hubspot):
    contact = hubspot.create("contacts", firstname="Ana")

    answer = hubspot.objects(
        "notes", {"properties": NOTE, "associations": [{"to": {"id": contact}, "types": [NOTE_TO_CONTACT]}]}
    )

    assert answer.status_code == 201
    note = answer.json()["id"]
    assert linked(hubspot, f"notes/{note}/associations/contacts") == [(contact, 202)]
    assert linked(hubspot, f"contacts/{contact}/associations/notes") == [(note, 201)]


@pytest.mark.parametrize(
    ("to", "types"),
    [("999", [NOTE_TO_CONTACT]), (None, [{**NOTE_TO_CONTACT, "associationTypeId": 999}]), (None, [])],
)
def test_a_bad_association_creates_nothing(hubspot, to, types):
    contact = hubspot.create("contacts", firstname="Ana")
    asked = {"to": {"id": to or contact}, "types": types}

    answer = hubspot.objects("notes", {"properties": NOTE, "associations": [asked]})

    assert answer.status_code == 400
    assert hubspot.state()["records"]["notes"] == []


def test_notes_are_created_with_their_associations_in_batches(hubspot):
    contact = hubspot.create("contacts", firstname="Ana")
    entry = {"properties": NOTE, "associations": [{"to": {"id": contact}, "types": [NOTE_TO_CONTACT]}]}

    hubspot.objects("notes/batch/create", {"inputs": [entry, entry]})

    assert len(linked(hubspot, f"contacts/{contact}/associations/notes")) == 2


def test_default_associations_are_idempotent(hubspot, conversations):
    contact = hubspot.create("contacts", firstname="Ana")
    talk = hubspot.create(conversations, conversation_id="c1")
    path = BATCH.format(conversations, "0-1", "associate/default")

    for _ in range(2):
        answer = hubspot.post(path, {"inputs": [pair(talk, contact)]})
        assert answer.status_code == 200
        [result] = answer.json()["results"]
        assert result["associationSpec"]["associationCategory"] == "USER_DEFINED"

    assert len(linked(hubspot, f"{conversations}/{talk}/associations/contacts")) == 1


def test_a_missing_record_costs_only_its_own_association(hubspot, conversations):
    contact = hubspot.create("contacts", firstname="Ana")
    talk = hubspot.create(conversations, conversation_id="c1")

    answer = hubspot.post(
        BATCH.format(conversations, "contacts", "associate/default"),
        {"inputs": [pair(talk, contact), pair("999", contact)]},
    )

    assert answer.status_code == 207
    assert len(answer.json()["results"]) == 1
    assert answer.json()["errors"][0]["context"]["fromObjectId"] == ["999"]


def test_two_records_are_linked_by_the_default_type(hubspot):
    contact, note = hubspot.create("contacts", firstname="Ana"), hubspot.create("notes", **NOTE)

    answer = hubspot.objects(f"notes/{note}/associations/default/contacts/{contact}", method="PUT")

    assert answer.json()["results"][0]["associationSpec"] == NOTE_TO_CONTACT


def test_associations_are_created_read_and_archived_in_batches(hubspot):
    contact, note = hubspot.create("contacts", firstname="Ana"), hubspot.create("notes", **NOTE)
    lonely = hubspot.create("notes", **NOTE)

    created = hubspot.post(
        BATCH.format("notes", "contacts", "create"),
        {"inputs": [{**pair(note, contact), "types": [NOTE_TO_CONTACT]}]},
    )
    read = hubspot.post(BATCH.format("notes", "contacts", "read"), {"inputs": [{"id": note}, {"id": lonely}]})
    archived = hubspot.post(
        BATCH.format("notes", "contacts", "archive"),
        {"inputs": [{"from": {"id": note}, "to": [{"id": contact}]}]},
    )

    assert created.status_code == 201
    assert read.status_code == 207
    assert read.json()["results"][0]["to"][0]["toObjectId"] == contact
    assert read.json()["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert archived.status_code == 204
    assert linked(hubspot, f"notes/{note}/associations/contacts") == []


@pytest.mark.parametrize(
    ("action", "count", "entry"),
    [
        ("associate/default", 2_001, pair("1", "2")),
        ("create", 2_001, {**pair("1", "2"), "types": [NOTE_TO_CONTACT]}),
        ("read", 1_001, {"id": "1"}),
    ],
)
def test_batches_of_associations_have_caps_of_their_own(hubspot, action, count, entry):
    path = BATCH.format("notes", "contacts", action)

    assert hubspot.post(path, {"inputs": [entry] * count}).status_code == 400
    assert hubspot.post(path, {"inputs": [entry] * (count - 1)}).status_code == 207


def test_an_archive_takes_100_different_records_at_most(hubspot):
    path = BATCH.format("notes", "contacts", "archive")
    entries = [{"from": {"id": str(n)}, "to": [{"id": "1"}]} for n in range(101)]

    assert hubspot.post(path, {"inputs": entries}).status_code == 400
    assert hubspot.post(path, {"inputs": entries[:100]}).status_code == 204


def test_a_custom_object_is_linked_only_to_what_its_schema_names(hubspot, schema):
    unlinked = {**schema, "associatedObjects": []}
    kind = hubspot.post("/crm-object-schemas/2026-09/schemas", unlinked).json()["objectTypeId"]

    to_contacts = BATCH.format(kind, "contacts", "associate/default")
    to_notes = BATCH.format(kind, "notes", "associate/default")

    assert hubspot.post(to_contacts, {"inputs": [pair("1", "2")]}).status_code == 400
    assert hubspot.post(to_notes, {"inputs": [pair("1", "2")]}).status_code == 207


def test_archiving_a_record_unlinks_it(hubspot):
    contact, note = hubspot.create("contacts", firstname="Ana"), hubspot.create("notes", **NOTE)
    hubspot.objects(f"notes/{note}/associations/default/contacts/{contact}", method="PUT")

    hubspot.objects(f"notes/{note}", method="DELETE")

    assert linked(hubspot, f"contacts/{contact}/associations/notes") == []


def test_a_read_shows_the_associations_it_asks_for(hubspot):
    contact, note = hubspot.create("contacts", firstname="Ana"), hubspot.create("notes", **NOTE)
    hubspot.objects(f"notes/{note}/associations/default/contacts/{contact}", method="PUT")

    shown = hubspot.objects(f"notes/{note}?associations=contacts", method="GET").json()["associations"]

    assert shown == {"contacts": {"results": [{"id": contact, "type": "note_to_contact"}]}}


def test_two_records_are_linked_and_unlinked_by_a_type(hubspot):
    contact, note = hubspot.create("contacts", firstname="Ana"), hubspot.create("notes", **NOTE)
    path = f"notes/{note}/associations/contacts/{contact}"

    made = hubspot.objects(path, [NOTE_TO_CONTACT], method="PUT")
    assert (made.status_code, made.json()["toObjectId"]) == (201, contact)
    assert hubspot.objects(path, method="DELETE").status_code == 204
    assert linked(hubspot, f"notes/{note}/associations/contacts") == []


def test_links_come_in_pages(hubspot):
    contact = hubspot.create("contacts", firstname="Ana")
    notes = [hubspot.create("notes", **NOTE) for _ in range(3)]
    for note in notes:
        hubspot.objects(f"notes/{note}/associations/default/contacts/{contact}", method="PUT")
    path = f"contacts/{contact}/associations/notes?limit=2"

    first = hubspot.objects(path, method="GET").json()
    rest = hubspot.objects(f"{path}&after={first['paging']['next']['after']}", method="GET").json()

    assert [end["toObjectId"] for end in first["results"] + rest["results"]] == notes


def test_the_types_of_a_pair_are_listed(hubspot):
    labels = hubspot.get("/crm/associations/2026-09/notes/contacts/labels").json()["results"]

    assert labels == [{"category": "HUBSPOT_DEFINED", "typeId": 202, "label": None}]


def test_links_of_a_batch_come_in_pages_of_five_hundred(hubspot):
    contact = hubspot.create("contacts", firstname="Ana")
    entry = {"properties": NOTE, "associations": [{"to": {"id": contact}, "types": [NOTE_TO_CONTACT]}]}
    for _ in range(6):
        hubspot.objects("notes/batch/create", {"inputs": [entry] * 100})
    path = BATCH.format("contacts", "notes", "read")

    [first] = hubspot.post(path, {"inputs": [{"id": contact}]}).json()["results"]
    after = first["paging"]["next"]["after"]
    [rest] = hubspot.post(path, {"inputs": [{"id": contact, "after": after}]}).json()["results"]

    assert (len(first["to"]), len(rest["to"])) == (500, 100)
    assert "paging" not in rest
    assert len({end["toObjectId"] for end in first["to"] + rest["to"]}) == 600
