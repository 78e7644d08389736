"""An emulated HubSpot account, served over HTTP, and connectors for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from private_values import HUBSPOT_TOKEN
from werkzeug import Response

from chatferry import Connector, Context, DeliveryError, Lead, Outcome, Receipt, Secret
from chatferry.emulators import Server
from chatferry.model import Author, AuthorKind, Conversation, Message, Record, Visitor
from chatferry.testing import DictMemory
from chatferry_hubspot.connector import HubSpot
from chatferry_hubspot.emulator import EMULATOR
from chatferry_hubspot.provision import apply, plan


class Account:
    """One account: what it holds, what was called, how it misbehaves."""

    def __init__(self, tmp_path: Path, **options: Any) -> None:
        self.board = EMULATOR.board()
        self.app = EMULATOR.create(faults=self.board, **options)
        self.server = Server(self.app).start()
        self.memory = DictMemory()
        self.directory = tmp_path
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {HUBSPOT_TOKEN}"
        self.connectors: list[HubSpot] = []

    def connect(self, fields: dict[str, tuple[str, ...]] | None = None, **settings: Any) -> HubSpot:
        if "client_id" not in settings:
            settings.setdefault("access_token", Secret(HUBSPOT_TOKEN))
        settings = {"base_url": self.server.url, "timeout": 1, **settings}
        context = Context(
            destination="crm", directory=self.directory, memory=self.memory, fields=fields or {}
        )
        connector = HubSpot(HubSpot.Settings().load(settings), context)
        self.connectors.append(connector)
        return connector

    def provision(self, fields: dict[str, tuple[str, ...]] | None = None, **settings: Any) -> None:
        client = self.connect(**settings).client
        list(apply(client, plan(client, fields or {})))

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.session.request(method, self.server.url + path, json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else {}

    def create(self, kind: str, **properties: str) -> str:
        return self.call("POST", f"/crm/objects/2026-09/{kind}", {"properties": properties})["id"]

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Return the properties and ids of the live records of an object."""
        found = self.call("GET", "/_emulator/state")["records"].get(kind, [])
        return [{"id": one["id"], **one["properties"]} for one in found if not one["archived"]]

    def links(self) -> set[tuple[str, str]]:
        return {
            (t["from"]["id"], t["to"]["id"]) for t in self.call("GET", "/_emulator/state")["associations"]
        }

    def calls(self, deliver: Callable[[], object]) -> dict[str, int]:
        """Return the calls that ``deliver`` makes, by route, as the emulator counts them."""
        self.call("DELETE", "/_emulator/calls")
        deliver()
        return self.call("GET", "/_emulator/calls")["routes"]

    def before(self, path: str, happens: Callable[[], object]) -> None:
        """Let something happen in HubSpot just before the next call whose path ends so."""
        inner = self.app.wsgi_app

        def application(environ: dict[str, Any], respond: Any) -> Any:
            if environ["PATH_INFO"].endswith(path):
                self.app.wsgi_app = inner
                happens()
            return inner(environ, respond)

        self.app.wsgi_app = application

    def answer_once(self, path: str, status: int, body: dict[str, Any]) -> None:
        """Answer the next call whose path ends so with this."""
        inner = self.app.wsgi_app

        def application(environ: dict[str, Any], respond: Any) -> Any:
            if not environ["PATH_INFO"].endswith(path):
                return inner(environ, respond)
            self.app.wsgi_app = inner
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            answer = Response(json.dumps(body), status=status, mimetype="application/json")
            return answer(environ, respond)

        self.app.wsgi_app = application

    def close(self) -> None:
        for connector in self.connectors:
            connector.close()
        self.session.close()
        self.server.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Account]]:
    """Start accounts that end with the test; they are provisioned unless ``provisioned`` is False."""
    running: list[Account] = []

    def start(*, provisioned: bool = True, **options: Any) -> Account:
        account = Account(tmp_path, **options)
        running.append(account)
        if provisioned:
            account.provision()
        return account

    yield start
    for account in running:
        account.close()


@pytest.fixture
def account(start: Callable[..., Account]) -> Account:
    """An account with custom objects."""
    return start()


@pytest.fixture
def plain(start: Callable[..., Account]) -> Account:
    """An account without custom objects and without a unique property on notes."""
    account = start(plan="professional", provisioned=False)
    body = {"name": "chat_visitor_id", "label": "Visitor", "type": "string", "fieldType": "text"}
    more = {"hasUniqueValue": True, "groupName": "contactinformation"}
    account.call("POST", "/crm/properties/2026-09/contacts", {**body, **more})
    return account


def make(number: int = 1, *, email: str | None = "", visitor: str | None = None, **fields: Any) -> Lead:
    """Return a lead; fields of the contact are given by name, those of the conversation as a dict."""
    address = f"visitor{number}@example.com" if email == "" else email
    person = Visitor(id=visitor or f"web-{number}", email=address)
    said = Message(id="m", at=MOMENT, author=Author(kind=AuthorKind.VISITOR), text="Hello")
    chat = Conversation(id=f"c{number}", platform="ha", client_id=1, visitor=person, messages=(said,))
    conversation = {"subject": f"Chat {number}", "transcript": "[09:14] Visitor: Hello"}
    conversation |= fields.pop("conversation", {})
    modes = {mode: fields.pop(mode, {}) for mode in ("fill_if_empty", "create_only")}
    mapped = {"email": address} if address else {}
    return Lead(
        key=chat.key,
        contact_key=(address or person.id or "").lower(),
        email=address.lower() if address else None,
        conversation=chat,
        records={
            "contact": Record(values={**mapped, **fields}, **modes),
            "conversation": Record(values=conversation),
        },
        receipt=None,
    )


MOMENT = datetime(2026, 11, 22, 9, 14, tzinfo=UTC)


@pytest.fixture
def lead() -> Callable[..., Lead]:
    return make


@pytest.fixture
def deliver() -> Callable[..., list[Outcome]]:
    """Deliver leads as the engine does: an error that is raised is the outcome of all."""

    def deliver(connector: Connector, *leads: Lead) -> list[Outcome]:
        try:
            return list(connector.deliver(leads))
        except DeliveryError as error:
            return [error] * len(leads)

    return deliver


@pytest.fixture
def receipts(deliver: Callable[..., list[Outcome]]) -> Callable[..., list[Receipt]]:
    """Deliver leads that must all be taken."""

    def receipts(connector: Connector, *leads: Lead) -> list[Receipt]:
        outcomes = deliver(connector, *leads)
        for outcome in outcomes:
            assert isinstance(outcome, Receipt), f"{outcome!r} {getattr(outcome, 'crm_message', '')}"
        return [outcome for outcome in outcomes if isinstance(outcome, Receipt)]

    return receipts
