"""Batches: trace ids, repeats, caps, order (crm reference of the project, 'Contacts')."""

from __future__ import annotations

import pytest


def contact(number: int, *, trace: bool = True, **properties: str) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": f"v{number}",
        "idProperty": "chat_visitor_id",
        "properties": {"chat_visitor_id": f"v{number}", **properties},
    }
    return {**entry, "objectWriteTraceId": str(number)} if trace else entry


def test_an_upsert_creates_then_updates(visitors):
    first = visitors.upsert("contacts", contact(1, firstname="Ana"))
    again = visitors.upsert("contacts", contact(1, lastname="Petrova"))

    assert (first.status_code, again.status_code) == (200, 200)
    [made], [changed] = first.json()["results"], again.json()["results"]
    assert (made["new"], changed["new"]) == (True, False)
    assert made["id"] == changed["id"]
    names = visitors.properties("contacts", made["id"], "firstname", "lastname")
    assert names == {"firstname": "Ana", "lastname": "Petrova"}


def test_with_own_trace_ids_one_bad_input_costs_one_record(visitors):
    answer = visitors.upsert(
        "contacts",
        contact(1, email="Ana@Example.com"),
        contact(2, email="not-an-email"),
        contact(3, email="lee@example.com"),
    )

    assert answer.status_code == 207
    body = answer.json()
    assert sorted(one["objectWriteTraceId"] for one in body["results"]) == ["1", "3"]
    assert body["numErrors"] == 1
    [error] = body["errors"]
    assert error["category"] == "VALIDATION_ERROR"
    assert error["context"]["objectWriteTraceId"] == ["2"]
    assert (
        '[{"isValid":false,"message":"Email address not-an-email is invalid",'
        '"error":"INVALID_EMAIL","name":"email"}]'
    ) in error["message"]


def test_without_trace_ids_one_bad_input_refuses_all(visitors):
    answer = visitors.upsert(
        "contacts", contact(1, trace=False), contact(2, trace=False, email="not-an-email")
    )

    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert visitors.state()["records"]["contacts"] == []


def test_a_trace_id_that_comes_twice_counts_as_none(visitors):
    good, bad = contact(1), contact(2, email="not-an-email")
    bad["objectWriteTraceId"] = good["objectWriteTraceId"]

    assert visitors.upsert("contacts", good, bad).status_code == 400
    assert visitors.state()["records"]["contacts"] == []


def test_a_refused_batch_takes_back_its_updates_too(visitors):
    visitors.upsert("contacts", contact(1, firstname="Ana", email="ana@example.com"))

    visitors.upsert(
        "contacts",
        contact(1, trace=False, firstname="Eve", email="eve@example.com"),
        contact(2, trace=False, email="not-an-email"),
    )

    [record] = visitors.state()["records"]["contacts"]
    assert record["properties"]["firstname"] == "Ana"
    assert visitors.objects("contacts/ana@example.com?idProperty=email", method="GET").status_code == 200
    assert visitors.objects("contacts/eve@example.com?idProperty=email", method="GET").status_code == 404


def test_repeated_ids_refuse_the_whole_batch(visitors):
    one, same = contact(1), contact(1)
    same["objectWriteTraceId"] = "other"

    answer = visitors.upsert("contacts", one, same, contact(2))

    assert answer.status_code == 400
    assert answer.json()["message"] == "Duplicate IDs found in batch input: [v1]. IDs must be unique"
    assert answer.json()["context"] == {"ids": ["v1"]}


def test_repeats_of_an_email_are_found_whatever_their_case(hubspot):
    entries = [
        {"id": mail, "idProperty": "email", "properties": {"email": mail}, "objectWriteTraceId": mail}
        for mail in ("ana@example.com", " ANA@example.com")
    ]

    assert hubspot.upsert("contacts", *entries).json()["context"] == {"ids": ["ana@example.com"]}


def test_an_unknown_property_refuses_the_whole_batch_even_with_trace_ids(visitors):
    answer = visitors.upsert("contacts", contact(1), contact(2, shoe_size="44"))

    assert answer.status_code == 400
    assert "PROPERTY_DOESNT_EXIST" in answer.json()["message"]
    assert answer.json()["errors"][0]["context"] == {"propertyName": ["shoe_size"]}
    assert visitors.state()["records"]["contacts"] == []


def test_a_batch_has_at_most_100_inputs(visitors):
    assert visitors.upsert("contacts", *(contact(n) for n in range(100))).status_code == 200

    answer = visitors.upsert("contacts", *(contact(n) for n in range(101)))

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_results_are_in_no_order_and_the_seed_repeats_it(start):
    orders = []
    for seed in (1, 1, 2):
        hubspot = start(seed=seed)
        hubspot.define("contacts", "chat_visitor_id", hasUniqueValue=True)
        results = hubspot.upsert("contacts", *(contact(n) for n in range(20))).json()["results"]
        orders.append([one["objectWriteTraceId"] for one in results])

    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0], key=int)


@pytest.mark.parametrize("value", [None, 5, True, ["x"]])
def test_a_value_that_is_no_string_refuses_the_batch(visitors, value):
    entry = contact(1)
    entry["properties"] = {"firstname": value}

    assert visitors.upsert("contacts", entry, contact(2)).status_code == 400


def test_an_upsert_needs_a_unique_property(visitors):
    entry = {"id": "Ana", "idProperty": "firstname", "properties": {"firstname": "Ana"}}

    assert "non-unique" in visitors.upsert("contacts", entry).json()["message"]


def test_one_batch_has_one_id_property(visitors):
    by_mail = {"id": "a@example.com", "idProperty": "email", "properties": {"email": "a@example.com"}}

    assert visitors.upsert("contacts", contact(1), by_mail).status_code == 400


def test_an_upsert_by_email_must_bring_the_email(hubspot):
    entry = {"id": "ana@example.com", "idProperty": "email", "properties": {"firstname": "Ana"}}

    answer = hubspot.upsert("contacts", entry)

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Partial upserts are not supported")


def test_a_contact_known_by_email_only_makes_an_upsert_by_visitor_end_in_409(visitors):
    existing = visitors.create("contacts", email="ana@example.com")

    answer = visitors.upsert("contacts", contact(1, email="Ana@example.com"), contact(2))

    assert answer.status_code == 207
    [error] = answer.json()["errors"]
    assert error["message"] == f"Contact already exists. Existing ID: {existing}"
    assert error["context"]["objectWriteTraceId"] == ["1"]
    alone = visitors.upsert("contacts", contact(1, trace=False, email="Ana@example.com"))
    assert alone.status_code == 409


def test_batch_create_update_read_and_archive(visitors):
    made = visitors.objects(
        "contacts/batch/create",
        {"inputs": [{"properties": {"email": f"{n}@example.com"}, "associations": []} for n in range(3)]},
    )
    assert made.status_code == 201
    ids = [one["id"] for one in made.json()["results"]]

    updated = visitors.objects(
        "contacts/batch/update",
        {
            "inputs": [
                {"id": ids[0], "properties": {"firstname": "Ana"}, "objectWriteTraceId": "a"},
                {"id": "999", "properties": {"firstname": "Lee"}, "objectWriteTraceId": "b"},
            ]
        },
    )
    assert updated.status_code == 207
    assert updated.json()["errors"][0]["context"] == {"ids": ["999"], "objectWriteTraceId": ["b"]}

    visitors.objects("contacts/batch/archive", {"inputs": [{"id": ids[2]}]})
    read = visitors.objects(
        "contacts/batch/read",
        {"properties": ["email"], "inputs": [{"id": one} for one in ids]},
    )
    assert read.status_code == 207
    assert {one["id"] for one in read.json()["results"]} == set(ids[:2])
    assert read.json()["errors"][0]["context"] == {"ids": [ids[2]]}


def test_a_batch_can_be_read_by_a_unique_property(visitors):
    visitors.upsert("contacts", contact(1))

    body = {"idProperty": "chat_visitor_id", "properties": [], "inputs": [{"id": "v1"}]}

    assert len(visitors.objects("contacts/batch/read", body).json()["results"]) == 1
