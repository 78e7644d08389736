"""What most integrators write first: the webhook's handler does it all before it answers.

The same signature check, the same GraphQL query, answers to ``[](Q1)`` markers by a regular
expression, one row of CSV. Nothing survives a crash, nothing is tried again, nothing is deduplicated.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import os
import re
import threading
from pathlib import Path
from typing import Any

import requests
from flask import Flask, Response, abort, request

API = os.environ["BASELINE_API"]
QUERY = Path(os.environ["BASELINE_QUERY"]).read_text()
SECRET = os.environ["BASELINE_SECRET"].encode()
OUT = Path(os.environ["BASELINE_OUT"])
MARKER = re.compile(r"\[\]\((Q\d+)\)")

app = Flask(__name__)
session = requests.Session()
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))
writing = threading.Lock()
token: dict[str, str] = {}


def fetch(identity: str) -> dict[str, Any]:
    """Ask iAdvize for a conversation."""
    if not token:
        token.update(session.post(f"{API}/oauth2/token", data={"grant_type": "password"}).json())
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    asked = {"query": QUERY, "variables": {"i0": identity, "d0": identity}}
    return session.post(f"{API}/graphql", json=asked, headers=headers, timeout=30).json()["data"]["c0"]


def answers(conversation: dict[str, Any]) -> dict[str, str]:
    """Return what the visitor said right after each marked question."""
    found, asked = {}, None
    for edge in conversation["messages"]["edges"]:
        text = edge["node"].get("text") or ""
        if marker := MARKER.search(text):
            asked = marker[1]
        elif asked and (edge["node"].get("author") or {}).get("__typename") == "Visitor":
            found[asked] = text
            asked = None
    return found


def keep(identity: str) -> None:
    """Fetch a conversation and append its row."""
    conversation = fetch(identity)
    visitor = conversation.get("visitor") or {}
    found = answers(conversation)
    transcript = "\n".join(edge["node"].get("text") or "" for edge in conversation["messages"]["edges"])
    row = [f"ha-335-{identity}", visitor.get("email"), visitor.get("firstName"), visitor.get("lastName")]
    row += [*(found.get(f"Q{n}") for n in range(1, 6)), transcript]
    with writing, OUT.open("a", newline="") as file:
        csv.writer(file).writerow(row)


def verified() -> dict[str, Any]:
    """Return the event, if iAdvize signed it."""
    signed = "sha256=" + hmac.new(SECRET, request.get_data(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signed, request.headers.get("x-iadvize-signature", "")):
        abort(401)
    return request.get_json()


@app.post("/webhooks/iadvize")
def webhook() -> Response:
    """Do it all, then answer."""
    keep(verified()["conversationId"])
    return Response(status=204)
