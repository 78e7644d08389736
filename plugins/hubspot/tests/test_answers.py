"""HubSpot's errors, read tolerantly: every field is optional by its own word.

The bodies are those of HubSpot's documentation and of public reports of live answers.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from chatferry_hubspot.answers import Refused, complain

KEYS = some.sampled_from(
    [
        "status",
        "message",
        "correlationId",
        "category",
        "subCategory",
        "errors",
        "context",
        "code",
        "in",
        "name",
    ]
) | some.text(max_size=5)
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)


def test_a_message_that_carries_json_is_unpacked():
    complaint = complain(
        {
            "status": "error",
            "category": "VALIDATION_ERROR",
            "message": 'Property values were not valid: [{"isValid":false,"message":"Email address '
            'not-an-email is invalid","error":"INVALID_EMAIL","name":"email"}]',
            "correlationId": "a43683b0-5717-4ceb-80b4-104d02915d8c",
            "context": {"objectWriteTraceId": ["1"]},
        }
    )
    assert complaint.name == "VALIDATION_ERROR INVALID_EMAIL"
    assert complaint.crm_message == "Email address not-an-email is invalid"
    assert complaint.fields == {"email"}
    assert complaint.traces == {"1"}
    assert complaint.reference == "a43683b0-5717-4ceb-80b4-104d02915d8c"


def test_an_existing_record_is_named_by_its_id():
    complaint = complain(
        {
            "status": "error",
            "message": "Contact already exists. Existing ID: 2926551",
            "category": "OBJECT_ALREADY_EXISTS",
            "error": "CONTACT_EXISTS",
            "errors": [{"message": "A contact with email lee@example.com already exists.", "in": "email"}],
        },
        status=409,
    )
    assert complaint.existing_id == "2926551"
    assert Refused(complaint).conflict
    assert "lee@example.com" in complaint.crm_message


def test_missing_scopes_are_read_from_their_context():
    context = {"requiredGranularScopes": ["crm.schemas.custom.write"]}
    complaint = complain(
        {"category": "MISSING_SCOPES", "errors": [{"message": "One or more…", "context": context}]}
    )
    assert complaint.scopes == ("crm.schemas.custom.write",)


def test_what_may_be_logged_is_codes_alone():
    complaint = complain(
        {"category": "ana@example.com", "message": "ana@example.com", "correlationId": "a b"}
    )
    error = Refused(complaint)
    assert "ana@example.com" not in f"{error} {error!r} {error.code} {error.reference}"
    assert error.crm_message == "ana@example.com"


@settings(max_examples=60)
@given(some.dictionaries(KEYS, JSON, max_size=6))
def test_no_json_is_too_strange(body: dict[str, Any]):
    assert str(Refused(complain(body, status=400))).startswith("HubSpot refuses")
