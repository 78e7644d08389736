"""The application by itself, where a real server cannot be brought into the state."""

from __future__ import annotations

import json

from chatferry.accept.acceptance import Acceptance
from chatferry.iadvize.signature import HEADER, sign
from chatferry.ledger import Ledger
from chatferry.settings.model import IAdvizeSettings, Settings
from chatferry.settings.secrets import Secret
from chatferry.web.app import create_app

SECRET = Secret("hush")


def test_a_read_only_ledger_is_answered_503(tmp_path):
    """The mode of the connection, not the file's: root may write anywhere."""
    Ledger.open(f"sqlite:///{tmp_path}/ledger.db").close()
    ledger = Ledger(f"sqlite:///file:{tmp_path}/ledger.db?mode=ro&uri=true")
    settings = Settings(directory=tmp_path, iadvize=IAdvizeSettings(secrets=(SECRET,)))
    acceptance = Acceptance(settings, ledger.events)
    client = create_app(acceptance.accept, ledger.ping, body_limit=10_000).test_client()
    raw = json.dumps({"eventId": "e1", "eventType": "user.created", "platform": "ha"}).encode()
    signed = {HEADER: sign(SECRET, raw)}
    answer = client.post("/webhooks/iadvize", data=raw, headers=signed, content_type="application/json")
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert client.get("/readyz").status_code == 503
    assert client.get("/health").json == {"status": "UP"}
    ledger.close()
