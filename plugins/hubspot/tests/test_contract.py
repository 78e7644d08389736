"""The HubSpot connector passes the contract, with everything a HubSpot account can do."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest
import requests
from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN, HUBSPOT_TOKEN

from chatferry import Receipt, Secret
from chatferry.testing import (
    Capability,
    ConnectorContract,
    EmulatorHarness,
    GatewayHarness,
    Held,
    Picklist,
    Shape,
    Trouble,
)
from chatferry_hubspot.connector import HubSpot
from chatferry_hubspot.emulator import EMULATOR

PERMANENT = {
    "status": "error",
    "category": "VALIDATION_ERROR",
    "message": "Property values were not valid: "
    '[{"isValid":false,"message":"Quetzalcoatl is not a valid pet","error":"INVALID_PET","name":"pet"}]',
}
BUSY = {"status": "error", "category": "INTERNAL_ERROR", "message": "Try this record again"}


class KeyedTrouble:
    """Stands before the emulator and meddles with the record that is named: the emulator aims by path."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application
        self.trouble: Trouble | None = None
        self.key = ""

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        forward = Forward(self.application, environ, start)
        if self.trouble is None or self.key not in body.decode():
            return forward(body)
        if self.trouble is Trouble.POISONED:
            return forward.instead("400 Bad Request", {"status": "error", "message": "Something is wrong"})
        asked = json.loads(body)
        traces = [one["objectWriteTraceId"] for one in asked["inputs"] if self.key in json.dumps(one)]
        if self.trouble is Trouble.RESULT_MISSING:
            answer = forward.read(asked)
            answer["results"] = [one for one in answer["results"] if one["objectWriteTraceId"] not in traces]
            return forward.instead("200 OK", answer)
        error = PERMANENT if self.trouble is Trouble.RECORD_REFUSED else BUSY
        asked["inputs"] = [one for one in asked["inputs"] if one["objectWriteTraceId"] not in traces]
        answer = forward.read(asked) if asked["inputs"] else {"status": "COMPLETE", "results": []}
        answer["errors"] = [{**error, "context": {"objectWriteTraceId": traces}}]
        return forward.instead("207 Multi-Status", answer)


class Forward:
    """One call on its way to the emulator."""

    def __init__(self, application: Callable[..., Any], environ: dict[str, Any], start: Any) -> None:
        self.application, self.environ, self.start = application, environ, start

    def __call__(self, body: bytes, start: Any = None) -> Any:
        self.environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        return self.application(self.environ, start or self.start)

    def read(self, asked: dict[str, Any]) -> dict[str, Any]:
        return json.loads(b"".join(self(json.dumps(asked).encode(), lambda *_: None)))

    def instead(self, status: str, answer: dict[str, Any]) -> list[bytes]:
        body = json.dumps(answer).encode()
        self.start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


STAMPS = ("lastmodifieddate", "hs_lastmodifieddate")
TEXT = {"type": "string", "fieldType": "text"}
PET = {
    "type": "enumeration",
    "fieldType": "select",
    "options": [{"label": "Cat", "value": "cat", "displayOrder": 0, "hidden": False}],
}
TYPES = {
    "pet": PET,
    "score": {"type": "number", "fieldType": "number"},
    "since": {"type": "datetime", "fieldType": "date"},
}


def definition(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name, **TYPES.get(name, TEXT), **more}


class HubSpotHarness(EmulatorHarness):
    """An account with OAuth and custom objects."""

    emulator = EMULATOR
    connector = HubSpot
    plan = "enterprise"
    secrets = (HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN)
    capabilities = frozenset(Capability) - {Capability.FILES, Capability.CONVERTED}
    contact = Shape(
        name="contact",
        text="firstname",
        other="company",
        email="email",
        samples={"score": 12.5, "since": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)},
        picklist=Picklist(field="pet", good="cat", bad="dragon"),
        limits={"message": 65_536},
        key="chat_visitor_id",
    )
    conversation = Shape(
        name="conversation",
        text="subject",
        other="channel",
        long="transcript",
        required="topic",
        samples={"score": 3, "since": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)},
        picklist=Picklist(field="pet", good="cat", bad="dragon"),
        limits={"transcript": 65_536},
        key="conversation_id",
    )
    troubles: ClassVar = {
        Trouble.TOKEN_EXPIRED: "401",
        Trouble.CREDENTIALS_REFUSED: "401",
        Trouble.FORBIDDEN: "403",
        Trouble.TOO_FAST: "429-burst=30",
        Trouble.TOO_FAST_UNSAID: "429-burst",
        Trouble.QUOTA_SPENT: "429-daily",
        Trouble.SERVER_ERROR: "500",
        Trouble.HTML_ERROR: "502",
        Trouble.HTML_ANSWER: "html-ok",
        Trouble.EMPTY_ANSWER: "empty-body",
        Trouble.RESET: "reset-before-commit",
        Trouble.RECORD_REFUSED: "",
        Trouble.RECORD_BUSY: "",
        Trouble.RESULTS_SHUFFLED: "reversed",
        Trouble.RESULT_MISSING: "results-missing",
        Trouble.RESULT_SURPLUS: "results-extra",
        Trouble.POISONED: "",
    }

    def __init__(self, directory: Any) -> None:
        super().__init__(directory)
        self.calls, self.seen = -1, {}
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {HUBSPOT_TOKEN}"
        self.app.wsgi_app = self.meddler = KeyedTrouble(self.app.wsgi_app)
        own = {"groupName": "contactinformation"}
        self.post(
            "/crm/properties/2026-09/contacts", definition("chat_visitor_id", hasUniqueValue=True, **own)
        )
        for name in ("score", "since", "pet"):
            self.post("/crm/properties/2026-09/contacts", definition(name, **own))
        if self.plan == "enterprise":
            self.post("/crm-object-schemas/2026-09/schemas", self.schema())

    def schema(self) -> dict[str, Any]:
        names = ("subject", "channel", "transcript", "topic", "score", "since", "pet")
        key = definition("conversation_id", hasUniqueValue=True)
        return {
            "name": "chat_conversation",
            "labels": {"singular": "Conversation", "plural": "Conversations"},
            "primaryDisplayProperty": "subject",
            "secondaryDisplayProperties": [],
            "searchableProperties": [],
            "requiredProperties": ["conversation_id", "topic"],
            "allowsSensitiveProperties": False,
            "associatedObjects": ["0-1"],
            "properties": [key, *(definition(name) for name in names)],
        }

    def options(self) -> dict[str, Any]:
        return {"plan": self.plan}

    def settings(self) -> dict[str, Any]:
        return {
            "client_id": "client-emulator",
            "client_secret": Secret(HUBSPOT_CLIENT_SECRET),
            "refresh_token": Secret(HUBSPOT_REFRESH_TOKEN),
            "base_url": self.url,
            "timeout": 1,
        }

    def connect(self, also=MappingProxyType({})):
        connector = super().connect(also)
        connector.context.fields.update({shape.name: (shape.text,) for shape in self.shapes})
        return connector

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.session.post(self.url + path, json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else {}

    def held(self, name: str) -> list[Held]:
        calls = self.app.account.journal.to_json()["total"]
        if self.calls != calls:
            self.calls, self.seen = calls, {}
        if name not in self.seen:
            self.seen[name] = self.read(name)
        return self.seen[name]

    def read(self, name: str) -> list[Held]:
        state = self.session.get(f"{self.url}/_emulator/state", timeout=10).json()
        kind = "contacts" if name == "contact" else "chat_conversation"
        contacts = {
            tie["from"]["id"]: tie["to"]["id"]
            for tie in state["associations"]
            if tie["from"]["type"] == kind and tie["to"]["type"] == "contacts"
        }
        return [
            Held(
                key=self.key(one["properties"]),
                id=one["id"],
                fields={k: v for k, v in one["properties"].items() if k not in STAMPS},
                contact=contacts.get(one["id"]),
            )
            for one in state["records"][kind]
            if not one["archived"]
        ]

    @staticmethod
    def key(properties: dict[str, str]) -> str:
        names = ("conversation_id", "email")
        if visitor := properties.get("chat_visitor_id"):
            names = (*names, "chat_visitor_id")
            known_by = visitor if visitor.startswith("conversation:") else f"visitor:ha-335-{visitor}"
            properties = {**properties, "chat_visitor_id": known_by}
        return next((properties[name] for name in names if properties.get(name)), "")

    def held_as(self, name: str, field: str, value: Any) -> Any:  # noqa: ARG002  (the harness's signature)
        if field == "email":
            return value.lower()
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        return value if isinstance(value, str) or value is None else str(value)

    def misbehave(self, trouble: Trouble, *, times: int | None = None, key: str | None = None) -> None:
        if key is not None and trouble not in self.built_in:
            self.meddler.trouble, self.meddler.key = trouble, key
            return
        super().misbehave(trouble, times=times, key=key)
        if trouble is Trouble.CREDENTIALS_REFUSED:
            self.board.switch_on("oauth-400")

    def behave(self) -> None:
        super().behave()
        self.meddler.trouble = None

    def id_of(self, name: str, key: str) -> str:
        return next(one.id for one in self.held(name) if one.key == key)

    def delete(self, name: str, key: str) -> None:
        kind = "contacts" if name == "contact" else "chat_conversation"
        self.post(f"/crm/objects/2026-09/{kind}/batch/archive", {"inputs": [{"id": self.id_of(name, key)}]})

    archive = delete  # HubSpot has one word for both

    def merge(self, name: str, key: str, into: str) -> None:
        body = {"primaryObjectId": self.id_of(name, into), "objectIdToMerge": self.id_of(name, key)}
        self.post("/crm/objects/2026-09/contacts/merge", body)

    def close(self) -> None:
        self.session.close()
        super().close()


class NotesHarness(HubSpotHarness):
    """An account of a plan without custom objects, with a service key: conversations become notes.

    A note is one text, written whole each time, so it has no fields to be kept, filled or cleared: it is
    no ``Shape``. What must hold of notes is looked at after every case instead.
    """

    plan = "professional"
    secrets = (HUBSPOT_TOKEN,)
    conversation = None
    capabilities = HubSpotHarness.capabilities - {
        Capability.CONVERSATIONS,
        Capability.LINKS,
        Capability.RENEWAL,
        Capability.REQUIRED_FIELDS,
    }

    def settings(self) -> dict[str, Any]:
        return {"access_token": Secret(HUBSPOT_TOKEN), "base_url": self.url, "timeout": 1}

    def notes(self) -> list[str]:
        """Return the keys of the conversations that live notes are of; "" for a note of none."""
        state = self.session.get(f"{self.url}/_emulator/state", timeout=10).json()
        bodies = [
            one["properties"]["hs_note_body"] for one in state["records"]["notes"] if not one["archived"]
        ]
        return ["".join(re.findall(r"iAdvize conversation ([\w-]+)</p>$", body)) for body in bodies]


class BehindAGateway(GatewayHarness):
    """The same account reached as if it were not ours: through a gateway that gives the trouble."""

    connector = HubSpot
    capabilities = HubSpotHarness.capabilities - {
        Capability.AUTHENTICATION,
        Capability.RENEWAL,
        Capability.RATE_LIMITS,
        Capability.QUOTA,
        Capability.PARTIAL_SUCCESS,
        Capability.POISON,
        Capability.DELETED,
        Capability.ARCHIVED,
        Capability.MERGED,
    }
    contact, conversation = HubSpotHarness.contact, HubSpotHarness.conversation

    def __init__(self, directory: Path) -> None:
        self.account = HubSpotHarness(directory)
        self.upstream = self.account.url
        super().__init__(directory)

    def settings(self) -> dict[str, Any]:
        return {**self.account.settings(), "base_url": self.url}

    def held(self, name: str) -> list[Held]:
        return self.account.held(name)

    def held_as(self, name: str, field: str, value: Any) -> Any:
        return self.account.held_as(name, field, value)

    def close(self) -> None:
        super().close()
        self.account.close()


class TestHubSpot(ConnectorContract):
    harness = HubSpotHarness


class TestHubSpotBehindAGateway(ConnectorContract):
    harness = BehindAGateway


class TestHubSpotWithNotes(ConnectorContract):
    harness = NotesHarness

    @pytest.fixture
    def crm(self, tmp_path: Path) -> Iterator[NotesHarness]:
        """Give an account, and look at its notes when the case is over."""
        with NotesHarness(tmp_path) as crm:
            yield crm
            crm.behave()
            notes = Counter(crm.notes())
            assert "" not in notes
            assert set(notes.values()) <= {1}

    def test_each_conversation_is_one_note(self, crm: NotesHarness, connector: HubSpot) -> None:
        leads = crm.leads.several(3)
        for _ in range(2):
            assert all(isinstance(outcome, Receipt) for outcome in connector.deliver(leads))
        assert sorted(crm.notes()) == [lead.key for lead in leads]

    def test_a_lost_answer_about_notes_doubles_none(self, crm: NotesHarness, connector: HubSpot) -> None:
        leads = crm.leads.several(3)
        crm.misbehave(Trouble.TIMEOUT_AFTER, times=1, key=leads[1].key)
        assert not any(isinstance(outcome, Receipt) for outcome in connector.deliver(leads))
        crm.behave()
        assert sorted(crm.notes()) == [lead.key for lead in leads]
        assert all(isinstance(outcome, Receipt) for outcome in connector.deliver(leads))
        assert sorted(crm.notes()) == [lead.key for lead in leads]


NEVER = {
    Capability.FILES: "nothing of it lies on our disk",
    Capability.CONVERTED: "no record of HubSpot's becomes read-only",
}
WITH_NOTES = {
    Capability.CONVERSATIONS: "a note is one text without fields of its own",
    Capability.LINKS: "what a note hangs on is an association, and test_notes.py looks at it",
    Capability.RENEWAL: "a service key lasts until it is taken back",
    Capability.REQUIRED_FIELDS: "no property of a contact is required, those of custom objects may be",
}


@pytest.mark.parametrize(
    ("contract", "lacks"), [(TestHubSpot, NEVER), (TestHubSpotWithNotes, {**NEVER, **WITH_NOTES})]
)
def test_only_what_hubspot_has_not_is_left_out(
    contract: type[ConnectorContract], lacks: Mapping[Capability, str]
) -> None:
    assert frozenset(Capability) - contract.harness.capabilities == set(lacks)
    assert set(contract.left_out) == {
        name for name, needed in ConnectorContract.cases().items() if needed & set(lacks)
    }
