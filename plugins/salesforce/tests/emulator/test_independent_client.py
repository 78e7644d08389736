"""simple-salesforce, which was not made for this emulator, works with it."""

from __future__ import annotations

import json

import pytest
import requests
from private_values import SALESFORCE_CLIENT_SECRET
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

VISITOR = "Chat_Visitor_Id__c"
ANA = {"LastName": "Petrova", "Company": "Example Ltd", "Email": "ana@example.com"}


class Plain(HTTPAdapter):
    """Sends over plain HTTP to one address what the client wants to send over TLS to another."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.host = url.removeprefix("http://")

    def send(self, request: requests.PreparedRequest, **options):
        path = request.url.partition("://")[2].partition("/")[2]
        request.url = f"http://{self.host}/{path}"
        return super().send(request, **options)


@pytest.fixture
def session(org):
    with requests.Session() as made:
        made.mount("https://", Plain(org.url))
        yield made


@pytest.fixture
def client(session):
    login = SalesforceLogin(
        consumer_key="key-emulator",
        consumer_secret=SALESFORCE_CLIENT_SECRET,
        domain="emulator.my",
        session=session,
    )
    return Salesforce(
        session_id=login[0], instance="emulator.my.salesforce.com", session=session, version="68.0"
    )


def test_it_logs_in_with_client_credentials_and_not_with_others(session):
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        SalesforceLogin(
            consumer_key="key-emulator", consumer_secret="wrong", domain="emulator.my", session=session
        )


def test_it_upserts_by_an_external_id(org, client):
    assert client.Lead.upsert(f"{VISITOR}/web%3A42", ANA) == 201
    assert client.Lead.upsert(f"{VISITOR}/web%3A42", {"FirstName": "Ana"}) == 200
    assert [one["FirstName"] for one in org.records("Lead")] == ["Ana"]


def test_it_creates_reads_changes_and_deletes(client):
    made = client.Lead.create(ANA)
    assert made["success"]
    client.Lead.update(made["id"], {"Title": "CEO"})
    assert client.Lead.get(made["id"])["Title"] == "CEO"
    client.Lead.delete(made["id"])
    with pytest.raises(SalesforceResourceNotFound):
        client.Lead.get(made["id"])


def test_it_queries_page_by_page(org, client):
    for start in range(0, 2_100, 150):
        org.upsert("Lead", VISITOR, *({**ANA, VISITOR: f"{start + number}"} for number in range(150)))
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 2_100
    assert len({one["Id"] for one in client.query_all_iter("SELECT Id FROM Lead")}) == 2_100
    assert client.query_all("SELECT Id FROM Lead WHERE Email = null")["records"] == []


def test_it_reads_descriptions_and_limits(client):
    fields = {one["name"] for one in client.Lead.describe()["fields"]}
    assert {"LastName", VISITOR} <= fields
    assert any(one["name"] == "Conversation__c" for one in client.describe()["sobjects"])
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000
    assert client.api_usage["api-usage"].total == 100_000


def test_it_sends_collections(client):
    records = [{"attributes": {"type": "Lead"}, **ANA, VISITOR: "web:1"}]
    path = f"composite/sobjects/Lead/{VISITOR}"
    (result,) = client.restful(
        path, method="PATCH", data=json.dumps({"allOrNone": False, "records": records})
    )
    assert result["success"]


def test_it_reads_the_errors(org, client):
    with pytest.raises(SalesforceMalformedRequest) as caught:
        client.Lead.create({"FirstName": "Ana"})
    assert caught.value.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    org.fault("daily-limit:x1")
    with pytest.raises(SalesforceRefusedRequest) as refused:
        client.limits()
    assert refused.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
