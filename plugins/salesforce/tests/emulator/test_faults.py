"""Every misbehaviour that ``--fault`` switches on."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from private_values import SALESFORCE_CLIENT_SECRET

from chatferry.emulators.misbehaviour import ANSWERS, CONNECTIONS
from chatferry_salesforce.emulator import EMULATOR
from chatferry_salesforce.emulator.faults import RECORDS, REFUSALS, TOKENS

PAGE = Path(__file__).parents[4] / "docs" / "emulator-salesforce.md"
VISITOR = "Chat_Visitor_Id__c"
ANA = {"LastName": "Petrova", "Company": "Example Ltd", VISITOR: "web:1"}
STATUSES = {
    "401": 401,
    "daily-limit": 403,
    "concurrent-limit": 403,
    "api-disabled": 403,
    "no-access": 403,
    "400": 400,
    "404": 404,
    "410": 410,
    "500": 500,
    "502": 502,
    "503": 503,
    "503-page": 503,
    "504": 504,
    "no-such-column": 400,
    "unreadable": 400,
    "query-timeout": 400,
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_writes_nothing_and_the_next_call_is_good(org, name):
    org.fault(f"{name}:x1")
    answer = org.upsert("Lead", VISITOR, ANA)
    assert answer.status_code == STATUSES[name]
    assert org.records("Lead") == []
    assert org.upsert("Lead", VISITOR, ANA).json()[0]["success"]


@pytest.mark.parametrize("name", ["502", "503-page", "504"])
def test_gateways_answer_in_html(org, name):
    org.fault(name)
    assert org.upsert("Lead", VISITOR, ANA).headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", RECORDS)
def test_a_fault_of_a_record_strikes_one_among_others(org, name):
    org.fault(f"{name}:x1")
    first, second = org.upsert("Lead", VISITOR, ANA, {**ANA, VISITOR: "web:2"}).json()
    assert (first["success"], second["success"]) == (False, True)
    assert first["errors"][0]["statusCode"].isupper()
    assert len(org.records("Lead")) == 1


@pytest.mark.parametrize("name", TOKENS)
def test_the_token_endpoint_can_fail(org, name):
    form = {
        "grant_type": "client_credentials",
        "client_id": "key-emulator",
        "client_secret": SALESFORCE_CLIENT_SECRET,
    }
    org.fault(f"{name}:x1")
    assert org.grant(**form).status_code in {400, 503}
    assert org.grant(**form).status_code == 200


@pytest.mark.parametrize("name", [name for name in CONNECTIONS if "before" in name])
def test_a_connection_that_is_lost_before_writes_nothing(org, name):
    org.fault(f"{name}=0.05:x1")
    with pytest.raises(requests.ConnectionError):
        org.upsert("Lead", VISITOR, ANA)
    assert org.records("Lead") == []


@pytest.mark.parametrize("name", [name for name in CONNECTIONS if "after" in name or name == "truncated"])
def test_a_connection_that_is_lost_after_has_written(org, name):
    org.fault(f"{name}=0.05:x1")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        org.upsert("Lead", VISITOR, ANA)
    assert len(org.records("Lead")) == 1


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_spoilt_has_written(org, name):
    org.fault(f"{name}:x1")
    answer = org.upsert("Lead", VISITOR, ANA)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert len(org.records("Lead")) == 1


def test_a_slow_answer_is_as_usual(org):
    org.fault("slow=0.01:x1")
    assert org.upsert("Lead", VISITOR, ANA).json()[0]["success"]
    assert org.call("GET", "/_emulator/faults").json()["struck"]["slow"] >= 1


def test_a_fault_may_be_limited_to_a_path(org):
    org.fault("500=Contact")
    assert org.lead()
    assert org.upsert("Contact", VISITOR, {"LastName": "P", VISITOR: "a"}).status_code == 500


def test_faults_are_switched_off_by_name_or_all_together(org):
    org.fault("500", "503")
    org.call("POST", "/_emulator/faults", {"off": ["500"]})
    assert org.upsert("Lead", VISITOR, ANA).status_code == 503
    org.call("DELETE", "/_emulator/faults")
    assert org.upsert("Lead", VISITOR, ANA).status_code == 200
    assert org.call("POST", "/_emulator/faults", {"on": ["5000"]}).status_code == 400


def test_the_page_of_the_emulator_lists_every_fault_with_its_sentence():
    text = PAGE.read_text(encoding="utf-8")
    for name, sentence in EMULATOR.faults.items():
        assert f"| `{name}` | {sentence} |" in text
