"""A value that must be unique is another contact's: HubSpot's 409 and similar errors.

The bodies are those of public reports of HubSpot's live answers to a create.
"""

from __future__ import annotations

import io
import json

import pytest

from chatferry import PermanentFailure, TemporaryFailure


@pytest.fixture
def conflicted(account):
    """Answer upserts of lee@example.com as HubSpot does where another contact knows the address."""
    inner = account.app.wsgi_app
    account.existing = "0"

    def application(environ, start):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if environ["PATH_INFO"].endswith("contacts/batch/upsert") and b'"id":"lee@example.com"' in body:
            answer = {
                "status": "error",
                "message": f"Contact already exists. Existing ID: {account.existing}",
                "correlationId": "b6881283-187e-4088-a778-5c933a14547c",
                "category": "CONFLICT",
            }
            raw = json.dumps(answer).encode()
            start("409 Conflict", [("Content-Type", "application/json"), ("Content-Length", str(len(raw)))])
            return [raw]
        return inner(environ, start)

    account.app.wsgi_app = application
    return account


def test_an_existing_id_becomes_an_update_of_that_record(conflicted, lead, receipts):
    conflicted.existing = conflicted.create("contacts", email="lee@work.example.com", firstname="L")
    leads = [lead(1), lead(2, email="lee@example.com", firstname="Lee"), lead(3)]
    found = receipts(conflicted.connect(), *leads)
    assert found[1].ids["contact"] == conflicted.existing
    held = {one["id"]: one for one in conflicted.records("contacts")}
    assert len(held) == 3
    assert held[conflicted.existing]["firstname"] == "Lee"
    assert held[conflicted.existing]["email"] == "lee@work.example.com"


def test_an_anonymous_contact_with_that_id_gets_the_address(conflicted, lead, receipts):
    conflicted.existing = conflicted.create("contacts", firstname="Anonymous")
    receipts(conflicted.connect(), lead(email="lee@example.com", firstname="Lee"))
    (contact,) = conflicted.records("contacts")
    assert (contact["id"], contact["email"]) == (conflicted.existing, "lee@example.com")


def test_fields_that_fill_gaps_respect_what_the_other_record_holds(conflicted, lead, receipts):
    conflicted.existing = conflicted.create("contacts", email="lee@work.example.com", city="Sofia")
    receipts(
        conflicted.connect(), lead(email="lee@example.com", fill_if_empty={"city": "Oslo", "zip": "0150"})
    )
    (contact,) = conflicted.records("contacts")
    assert (contact["city"], contact["zip"]) == ("Sofia", "0150")


def test_a_conflict_whose_record_cannot_be_read_waits(conflicted, lead, deliver):
    conflicted.existing = conflicted.create("contacts", email="lee@work.example.com")
    conflicted.board.switch_on("503=contacts/batch/read")
    bad, good = deliver(conflicted.connect(), lead(1, email="lee@example.com"), lead(2))
    assert isinstance(bad, TemporaryFailure)
    assert good.ids["contact"]


def test_conflicts_of_a_batch_are_resolved_together(account, lead, receipts):
    """Twenty anonymous visitors give their addresses: one look, one update for all of them."""
    connector = account.connect()
    receipts(connector, *(lead(n, email=None, visitor=f"web-{n}") for n in range(20)))
    known = [lead(n, email=f"v{n}@example.com", visitor=f"web-{n}") for n in range(20)]
    calls = account.calls(lambda: receipts(connector, *known))
    assert len(account.records("contacts")) == 20
    assert sum(count for route, count in calls.items() if "contacts/batch" in route) <= 4


def test_a_conflict_with_a_record_that_is_gone_is_tried_again(conflicted, lead, deliver):
    bad, good = deliver(conflicted.connect(), lead(1, email="lee@example.com"), lead(2))
    assert isinstance(bad, TemporaryFailure)
    assert "Existing ID" in bad.crm_message
    assert good.ids["contact"]


def test_another_unique_field_is_the_leads_own_problem(account, lead, deliver):
    body = {"name": "customer_number", "label": "No.", "type": "string", "fieldType": "text"}
    more = {"hasUniqueValue": True, "groupName": "contactinformation"}
    account.call("POST", "/crm/properties/2026-09/contacts", {**body, **more})
    account.create("contacts", email="owner@example.com", customer_number="5")
    (outcome,) = deliver(account.connect(), lead(customer_number="5"))
    assert isinstance(outcome, PermanentFailure)
    assert "customer_number" in str(outcome)
