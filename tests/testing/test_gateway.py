"""A gateway before a CRM that runs by itself."""

from __future__ import annotations

import pytest
import requests
from flask import Flask, Response, redirect, request

from chatferry.emulators import Server
from chatferry.testing import Capability, ConnectorContract, GatewayHarness, Shape, Trouble
from chatferry.testing.sample import SampleConnector, SampleHarness

NETWORK = [
    Trouble.SERVER_ERROR,
    Trouble.HTML_ERROR,
    Trouble.HTML_ANSWER,
    Trouble.EMPTY_ANSWER,
    Trouble.RESET,
    Trouble.TIMEOUT_BEFORE,
    Trouble.TIMEOUT_AFTER,
]


@pytest.fixture
def upstream():
    """A CRM that says what it was asked."""
    app = Flask("crm")
    app.received = []

    @app.route("/<path:path>", methods=["GET", "POST", "PATCH"])
    def record(path):
        app.received.append(request.environ["RAW_URI"])
        if path == "moved":
            return redirect(f"{request.host_url}elsewhere")
        answer = Response(request.get_data() or b"nothing", status=201)
        answer.headers["X-Seen"] = f"{request.method} {request.headers.get('Authorization')}"
        answer.headers.add("Set-Cookie", "a=1")
        answer.headers.add("Set-Cookie", "b=2")
        return answer

    with Server(app) as server:
        server.received = app.received
        yield server


@pytest.fixture
def crm(upstream, tmp_path):
    class AcmeHarness(GatewayHarness):
        connector = SampleConnector
        capabilities = frozenset({Capability.NETWORK})
        contact = Shape(name="contact", text="Name", other="Notes")

        def settings(self):
            return {"url": self.url}

        def held(self, name):
            raise NotImplementedError(name)

    AcmeHarness.upstream = upstream.url
    with AcmeHarness(tmp_path) as crm:
        yield crm


def post(crm, path="/contacts?a=%2F&b=1", **options):
    return requests.post(crm.url + path, data=b"\x00ada@example.org", timeout=5, **options)


def test_requests_and_answers_are_passed_on_as_they_are(crm, upstream):
    answer = post(crm, "/a%2Fb/c?d=%20&e", headers={"Authorization": "Bearer x"})
    assert upstream.received == ["/a%2Fb/c?d=%20&e"]
    assert (answer.status_code, answer.content) == (201, b"\x00ada@example.org")
    assert answer.headers["X-Seen"] == "POST Bearer x"
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}


def test_a_redirect_leads_back_to_the_gateway(crm):
    assert post(crm, "/moved", allow_redirects=False).headers["Location"] == f"{crm.url}/elsewhere"


@pytest.mark.parametrize("trouble", NETWORK)
def test_every_trouble_of_a_network_lasts_until_it_behaves(crm, upstream, trouble):
    crm.misbehave(trouble)
    try:
        answer = requests.post(f"{crm.url}/contacts", data=b"x", timeout=0.3)
        shown = (answer.status_code, answer.headers["Content-Type"], bool(answer.content))
    except requests.RequestException as error:
        shown = type(error)
    assert shown == {
        Trouble.SERVER_ERROR: (500, "application/json", True),
        Trouble.HTML_ERROR: (502, "text/html", True),
        Trouble.HTML_ANSWER: (200, "text/html", True),
        Trouble.EMPTY_ANSWER: (200, "application/json", False),
        Trouble.RESET: requests.ConnectionError,
    }.get(trouble, requests.ReadTimeout)
    assert bool(upstream.received) == (trouble is Trouble.TIMEOUT_AFTER)
    crm.behave()
    assert post(crm).status_code == 201


def test_a_trouble_can_be_aimed_and_counted(crm):
    crm.misbehave(Trouble.SERVER_ERROR, times=1, key="ada@example.org")
    assert requests.get(f"{crm.url}/contacts/eve@example.org", timeout=5).status_code == 201
    assert [post(crm).status_code for _ in range(2)] == [500, 201]


def test_a_trouble_of_the_crms_own_is_not_the_gateways(crm):
    with pytest.raises(NotImplementedError, match="POISONED"):
        crm.misbehave(Trouble.POISONED)


def test_a_harness_that_declares_the_network_needs_nothing_else():
    class Harness(GatewayHarness):
        upstream = "http://127.0.0.1:1"
        connector = SampleConnector
        capabilities = frozenset({Capability.NETWORK})
        contact = SampleHarness.contact

    contract = type("TestAcme", (ConnectorContract,), {"harness": Harness})
    assert "test_a_server_error_is_temporary" not in contract.left_out
