"""HubSpot's own client, which is independent of this project, drives the emulator over the legacy paths."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm import contacts, objects, properties, schemas
from hubspot.crm.associations import v4
from hubspot.crm.contacts.exceptions import ApiException
from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN

NOTE_TO_CONTACT = v4.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=202)


@pytest.fixture
def api(hubspot) -> HubSpot:
    return HubSpot(access_token=hubspot.token, host=hubspot.url)


def make(api: HubSpot, **values: str) -> Any:
    body = contacts.SimplePublicObjectInputForCreate(properties=values, associations=[])
    return api.crm.contacts.basic_api.create(simple_public_object_input_for_create=body)


def test_contacts_are_created_read_updated_and_archived(api):
    made = make(api, email="Ana@Example.com", firstname="Ana")
    change = contacts.SimplePublicObjectInput(properties={"lastname": "Petrova"})
    api.crm.contacts.basic_api.update(made.id, change)

    read = api.crm.contacts.basic_api.get_by_id(
        "ana@example.com", id_property="email", properties=["firstname", "lastname"]
    )
    assert read.id == made.id
    assert (read.properties["firstname"], read.properties["lastname"]) == ("Ana", "Petrova")

    api.crm.contacts.basic_api.archive(made.id)
    with pytest.raises(ApiException) as gone:
        api.crm.contacts.basic_api.get_by_id(made.id)
    assert gone.value.status == 404


def test_a_contact_that_exists_is_a_409(api):
    made = make(api, email="ana@example.com")

    with pytest.raises(ApiException) as refused:
        make(api, email="ana@example.com")

    assert refused.value.status == 409
    assert f"Existing ID: {made.id}" in refused.value.body


def test_all_contacts_are_listed_page_by_page(api):
    entry = contacts.SimplePublicObjectBatchInputForCreate(properties={"firstname": "Ana"}, associations=[])
    made = []
    for count in (100, 3):
        batch = contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=[entry] * count)
        made += [one.id for one in api.crm.contacts.batch_api.create(batch).results]

    assert [one.id for one in api.crm.contacts.get_all()] == sorted(made, key=int)


def test_contacts_are_merged(api):
    one, other = make(api, firstname="Ana"), make(api, lastname="Petrova")
    body = contacts.PublicMergeInput(primary_object_id=one.id, object_id_to_merge=other.id)

    merged = api.crm.contacts.basic_api.merge(public_merge_input=body)

    assert merged.id == one.id
    assert merged.properties["lastname"] == "Petrova"


def test_a_batch_upsert_with_a_bad_input_is_read_as_207(api):
    inputs = [
        contacts.SimplePublicObjectBatchInputUpsert(
            id=mail, id_property="email", properties={"email": mail}, object_write_trace_id=str(number)
        )
        for number, mail in enumerate(["ana@example.com", "not-an-email"])
    ]
    body = contacts.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs)

    answer = api.crm.contacts.batch_api.upsert(body)

    assert type(answer).__name__ == "BatchResponseSimplePublicUpsertObjectWithErrors"
    [result], [error] = answer.results, answer.errors
    assert (result.new, result.object_write_trace_id) == (True, "0")
    assert error.context["objectWriteTraceId"] == ["1"]
    assert answer.num_errors == 1


def test_contacts_are_found_by_search(api, hubspot):
    made = make(api, email="ana@example.com")
    hubspot.advance(6)
    wanted = contacts.Filter(property_name="email", operator="EQ", value="ana@example.com")
    body = contacts.PublicObjectSearchRequest(
        filter_groups=[contacts.FilterGroup(filters=[wanted])], properties=["email"], limit=10
    )

    found = api.crm.contacts.search_api.do_search(public_object_search_request=body)

    assert (found.total, found.results[0].id) == (1, made.id)


def test_a_note_is_written_with_its_contact(api):
    contact = make(api, firstname="Ana")
    body = objects.SimplePublicObjectInputForCreate(
        properties={"hs_timestamp": "2026-11-22T09:31:40Z", "hs_note_body": "<p>Hello</p>"},
        associations=[
            objects.PublicAssociationsForObject(
                to=objects.PublicObjectId(id=contact.id),
                types=[objects.AssociationSpec("HUBSPOT_DEFINED", 202)],
            )
        ],
    )

    note = api.crm.objects.basic_api.create("notes", simple_public_object_input_for_create=body)

    linked = api.crm.associations.v4.basic_api.get_page("notes", note.id, "contacts").results
    assert [str(one.to_object_id) for one in linked] == [contact.id]


def test_associations_are_written_and_read_in_batches(api):
    contact = make(api, firstname="Ana")
    note = api.crm.objects.basic_api.create(
        "notes",
        simple_public_object_input_for_create=objects.SimplePublicObjectInputForCreate(
            properties={"hs_timestamp": "2026-11-22T09:31:40Z"}, associations=[]
        ),
    )
    batch = api.crm.associations.v4.batch_api
    pair = {"_from": v4.PublicObjectId(id=note.id), "to": v4.PublicObjectId(id=contact.id)}

    default = batch.create_default(
        "notes",
        "contacts",
        v4.BatchInputPublicDefaultAssociationMultiPost(inputs=[v4.PublicDefaultAssociationMultiPost(**pair)]),
    )
    created = batch.create(
        "notes",
        "contacts",
        v4.BatchInputPublicAssociationMultiPost(
            inputs=[v4.PublicAssociationMultiPost(types=[NOTE_TO_CONTACT], **pair)]
        ),
    )
    read = batch.get_page(
        "notes",
        "contacts",
        v4.BatchInputPublicFetchAssociationsBatchRequest(
            inputs=[v4.PublicFetchAssociationsBatchRequest(id=note.id)]
        ),
    )

    assert default.results[0].association_spec.association_type_id == 202
    assert created.results[0].from_object_type_id == "0-46"
    assert [str(end.to_object_id) for end in read.results[0].to] == [contact.id]
    assert read.results[0].to[0].association_types[0].type_id == 202


def test_a_unique_property_is_defined(api):
    body = properties.PropertyCreate(
        name="chat_visitor_id",
        label="Chat visitor ID",
        type="string",
        field_type="text",
        group_name="contactinformation",
        has_unique_value=True,
    )

    made = api.crm.properties.core_api.create("contacts", property_create=body)

    assert made.has_unique_value is True
    names = {one.name for one in api.crm.properties.core_api.get_all("contacts").results}
    assert {"chat_visitor_id", "email"} <= names


def test_a_custom_object_is_defined_and_written(api):
    body = schemas.ObjectSchemaEgg(
        name="chat_conversation",
        labels=schemas.ObjectTypeDefinitionLabels(singular="Conversation", plural="Conversations"),
        required_properties=["conversation_id"],
        associated_objects=["CONTACT"],
        properties=[
            schemas.ObjectTypePropertyCreate(
                name="conversation_id", label="ID", type="string", field_type="text", has_unique_value=True
            )
        ],
    )
    made = api.crm.schemas.core_api.create(object_schema_egg=body)
    entry = objects.SimplePublicObjectBatchInputUpsert(
        id="c1", id_property="conversation_id", properties={"conversation_id": "c1"}
    )

    written = api.crm.objects.batch_api.upsert(
        made.object_type_id, objects.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[entry])
    )

    assert written.results[0].properties["conversation_id"] == "c1"
    assert [one.id for one in api.crm.schemas.core_api.get_all().results] == [made.id]


def test_tokens_are_renewed_and_described(api, hubspot):
    renewed = api.oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id="client-emulator",
        client_secret=HUBSPOT_CLIENT_SECRET,
        refresh_token=HUBSPOT_REFRESH_TOKEN,
    )

    info = api.oauth.access_tokens_api.get(renewed.access_token)

    assert renewed.expires_in == 1800
    assert (info.hub_id, info.token_type) == (12345678, "access")
    own = HubSpot(access_token=renewed.access_token, host=hubspot.url)
    assert own.crm.contacts.basic_api.get_page().results == []
