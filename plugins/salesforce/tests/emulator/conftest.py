from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from private_values import SALESFORCE_CLIENT_SECRET

from chatferry.emulators import Server
from chatferry_salesforce.emulator import EMULATOR

BASE = "/services/data/v68.0"
VISITOR = "Chat_Visitor_Id__c"


class Client:
    """A plain HTTP client of one running emulator, with a session."""

    def __init__(self, url: str, *, secret: str = SALESFORCE_CLIENT_SECRET) -> None:
        self.url = url
        self.secret = secret
        self.session = requests.Session()
        self.token = ""
        self.open()

    def open(self) -> None:
        answer = self.grant(
            grant_type="client_credentials", client_id="key-emulator", client_secret=self.secret
        )
        self.token = answer.json()["access_token"]

    def grant(self, **form: str) -> requests.Response:
        return self.session.post(f"{self.url}/services/oauth2/token", data=form, timeout=10)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        headers = {
            "Authorization": f"Bearer {self.token}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        path = path if path.startswith(("/services", "/_emulator")) else BASE + path
        return self.session.request(method, self.url + path, json=body, headers=headers, timeout=10)

    def upsert(self, kind: str, key: str, *records: dict[str, Any], **options: Any) -> requests.Response:
        listed = [{"attributes": {"type": kind}, **one} for one in records]
        headers = options.pop("headers", {})
        body = {"allOrNone": False, "records": listed, **options}
        return self.call("PATCH", f"/composite/sobjects/{kind}/{key}", body, **headers)

    def lead(self, visitor: str = "web:42", **fields: Any) -> str:
        """Upsert a lead and return its id."""
        record = {"LastName": "Petrova", "Company": "Example Ltd", **fields, VISITOR: visitor}
        (result,) = self.upsert("Lead", VISITOR, record).json()
        assert result["success"], result
        return str(result["id"])

    def contact(self, visitor: str = "web:42", **fields: Any) -> str:
        (result,) = self.upsert("Contact", VISITOR, {"LastName": "P", **fields, VISITOR: visitor}).json()
        assert result["success"], result
        return str(result["id"])

    def query(self, text: str, path: str = "query") -> requests.Response:
        return self.session.get(
            f"{self.url}{BASE}/{path}",
            params={"q": text},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=10,
        )

    def rows(self, text: str, path: str = "query") -> list[dict[str, Any]]:
        answer = self.query(text, path)
        assert answer.status_code == 200, answer.text
        return [{k: v for k, v in row.items() if k != "attributes"} for row in answer.json()["records"]]

    def records(self, kind: str) -> list[dict[str, Any]]:
        return self.call("GET", "/_emulator/state").json()["records"][kind]

    def change(self, **settings: Any) -> None:
        assert self.call("POST", "/_emulator/settings", settings).status_code == 204

    def fault(self, *specifications: str) -> None:
        answer = self.call("POST", "/_emulator/faults", {"on": list(specifications)})
        assert answer.status_code == 200, answer.text

    def advance(self, seconds: float) -> None:
        self.call("POST", "/_emulator/clock", {"advance": seconds})

    def convert(self, lead: str, **more: str) -> dict[str, str]:
        answer = self.call("POST", "/_emulator/convert", {"lead": lead, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def start() -> Iterator[Callable[..., Client]]:
    """Start emulators that end with the test."""
    running: list[tuple[Server, Client]] = []

    def start(*faults: str, prepared: bool = True, **options: Any) -> Client:
        app = EMULATOR.create(faults=EMULATOR.board(*faults), prepared=prepared, **options)
        server = Server(app).start()
        running.append((server, Client(server.url)))
        return running[-1][1]

    yield start
    for server, client in running:
        client.session.close()
        server.stop()


@pytest.fixture(scope="session")
def _running() -> Iterator[Client]:
    with Server(EMULATOR.create(faults=EMULATOR.board(), prepared=True)) as server:
        client = Client(server.url)
        yield client
        client.session.close()


@pytest.fixture
def org(_running: Client) -> Client:
    """An org that is prepared for leads, with nothing in it."""
    _running.call("POST", "/_emulator/reset")
    _running.open()
    return _running
