from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from private_values import HUBSPOT_TOKEN

from chatferry.emulators import Server
from chatferry_hubspot.emulator import EMULATOR

VERSION = "2026-09"


class Client:
    """A plain HTTP client of one running emulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = HUBSPOT_TOKEN
        self.session = requests.Session()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.session.request(method, self.url + path, headers=headers, timeout=10, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.call("POST", path, json=body, **options)

    def objects(self, path: str, body: Any = None, method: str = "POST") -> requests.Response:
        return self.call(method, f"/crm/objects/{VERSION}/{path}", json=body)

    def upsert(self, kind: str, *inputs: dict[str, Any]) -> requests.Response:
        return self.objects(f"{kind}/batch/upsert", {"inputs": list(inputs)})

    def create(self, kind: str, **properties: str) -> str:
        answer = self.objects(kind, {"properties": properties})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def properties(self, kind: str, record_id: str, *names: str) -> dict[str, str | None]:
        answer = self.get(f"/crm/objects/{VERSION}/{kind}/{record_id}?properties={','.join(names)}")
        assert answer.status_code == 200, answer.text
        return {name: answer.json()["properties"][name] for name in names}

    def define(self, kind: str, name: str, **fields: Any) -> requests.Response:
        body = {"groupName": "contactinformation", "name": name, "label": name}
        fields = {"type": "string", "fieldType": "text", **fields}
        return self.post(f"/crm/properties/{VERSION}/{kind}", {**body, **fields})

    def advance(self, seconds: float) -> None:
        self.post("/_emulator/clock", {"advance": seconds})

    def fault(self, *specifications: str) -> None:
        answer = self.post("/_emulator/faults", {"on": list(specifications)})
        assert answer.status_code == 200, answer.text

    def state(self) -> dict[str, Any]:
        return self.get("/_emulator/state").json()

    def calls(self) -> dict[str, Any]:
        return self.get("/_emulator/calls").json()


SCHEMA: dict[str, Any] = {
    "name": "chat_conversation",
    "labels": {"singular": "Conversation", "plural": "Conversations"},
    "primaryDisplayProperty": "subject",
    "secondaryDisplayProperties": ["channel"],
    "searchableProperties": ["subject"],
    "requiredProperties": ["conversation_id"],
    "allowsSensitiveProperties": False,
    "associatedObjects": ["0-1"],
    "properties": [
        {
            "name": "conversation_id",
            "label": "ID",
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": True,
        },
        {"name": "subject", "label": "Subject", "type": "string", "fieldType": "text"},
        {
            "name": "channel",
            "label": "Channel",
            "type": "enumeration",
            "fieldType": "select",
            "options": [{"label": "Live chat", "value": "live_chat", "displayOrder": 0, "hidden": False}],
        },
        {"name": "started_at", "label": "Started at", "type": "datetime", "fieldType": "date"},
    ],
}


@pytest.fixture
def start() -> Iterator[Callable[..., Client]]:
    """Start emulators that end with the test."""
    running: list[tuple[Server, Client]] = []

    def start(*faults: str, **options: Any) -> Client:
        server = Server(EMULATOR.create(faults=EMULATOR.board(*faults), **options)).start()
        running.append((server, Client(server.url)))
        return running[-1][1]

    yield start
    for server, client in running:
        client.session.close()
        server.stop()


@pytest.fixture(scope="session")
def _running() -> Iterator[Client]:
    with Server(EMULATOR.create(faults=EMULATOR.board())) as server:
        client = Client(server.url)
        yield client
        client.session.close()


@pytest.fixture
def hubspot(_running: Client) -> Client:
    """An enterprise account with nothing in it."""
    _running.token = HUBSPOT_TOKEN
    _running.post("/_emulator/reset")
    return _running


@pytest.fixture
def visitors(hubspot: Client) -> Client:
    """An account whose contacts have a unique chat_visitor_id."""
    assert hubspot.define("contacts", "chat_visitor_id", hasUniqueValue=True).status_code == 201
    return hubspot


@pytest.fixture
def schema() -> dict[str, Any]:
    return SCHEMA


@pytest.fixture
def conversations(hubspot: Client, schema: dict[str, Any]) -> str:
    """The id of a custom object type for conversations."""
    answer = hubspot.post(f"/crm-object-schemas/{VERSION}/schemas", schema)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["objectTypeId"])
