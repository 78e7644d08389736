"""The calls of a destination: signed, bounded in time, and repeated once with another token."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace

import pytest
from dripping import DRIPPING, serving
from flask import Flask, jsonify, request

from chatferry import AuthFailure, PermanentFailure, RateLimited, Secret, TemporaryFailure
from chatferry.emulators import Server
from chatferry.http.client import ApiClient
from chatferry.http.outcomes import USUAL, Complaint, ErrorTable, away
from chatferry.http.pace import Pace
from chatferry.http.tokens import RenewedToken, StaticToken, Token, read_token

MEANINGS = ErrorTable(USUAL, otherwise=away)


class Filing(ApiClient):
    """A client of the cabinet below."""

    crm = "the cabinet"

    def __init__(self, url, tokens=None, timeout=5.0, **options):
        super().__init__(url, timeout=timeout, **options)
        self._tokens = tokens or StaticToken(Secret("t1"))

    @property
    def tokens(self):
        return self._tokens

    def error_of(self, answer):
        if answer.is_success and answer.legible:
            return None
        said = Complaint(status=answer.status, retry_after=answer.retry_after)
        return MEANINGS.error(said, answer.status)


class Cabinet:
    """A CRM that takes one token, and keeps what it was sent."""

    def __init__(self):
        self.good, self.issued, self.calls, self.answer = "t1", 1, [], None
        self.application = Flask("cabinet")
        self.application.add_url_rule("/token", "token", self.token, methods=["POST"])
        self.application.add_url_rule("/cards/<name>", "card", self.card, methods=["GET", "PUT"])

    def token(self):
        self.issued += 1
        self.good = f"t{self.issued}"
        return jsonify(access_token=self.good)

    def card(self, name):
        self.calls.append((request.method, name, dict(request.headers), request.get_data()))
        if request.headers.get("Authorization") != f"Bearer {self.good}":
            return jsonify(error="who are you"), 401
        return self.answer or jsonify(name=name)


@pytest.fixture
def cabinet():
    return Cabinet()


@pytest.fixture
def connect(cabinet):
    opened = []
    with Server(cabinet.application) as server:

        def connect(**options):
            opened.append(Filing(server.url, **options))
            return opened[-1]

        yield connect
        for client in opened:
            client.close()


def test_a_call_is_signed_and_its_payload_is_json_in_utf_8(cabinet, connect):
    client = connect()
    answer = client.request("PUT", "/cards/a", payload={"text": "γειά 👋"}, headers={"X-Rule": "allow"})
    method, name, headers, body = cabinet.calls[-1]
    assert (method, name, answer.body) == ("PUT", "a", {"name": "a"})
    assert headers["Authorization"] == "Bearer t1"
    assert (headers["Content-Type"], headers["X-Rule"]) == ("application/json", "allow")
    assert body.decode() == '{"text":"γειά 👋"}'


def test_a_refused_token_is_replaced_once_and_the_call_repeated_with_the_same_headers(cabinet, connect):
    client = connect()
    client._tokens = RenewedToken(
        lambda: read_token(client.exchange_form(f"{client._base_url}/token", {"grant": "me"}).body)
    )
    client.request("GET", "/cards/a")
    cabinet.good = "revoked meanwhile"
    answer = client.request("PUT", "/cards/b", payload={}, headers={"X-Rule": "allow"})
    assert answer.body == {"name": "b"}
    refused, repeated = cabinet.calls[-2:]
    assert refused[2].pop("Authorization") != repeated[2].pop("Authorization")
    assert refused == repeated


def test_a_second_refusal_is_for_an_operator(cabinet, connect):
    cabinet.good = "none that is issued"
    client = connect(tokens=RenewedToken(lambda: Token(value="t9")))
    with pytest.raises(AuthFailure):
        client.request("GET", "/cards/a")
    assert len(cabinet.calls) == 2


def test_a_token_that_cannot_be_renewed_is_sent_once(cabinet, connect):
    cabinet.good = "another"
    with pytest.raises(AuthFailure):
        connect().request("GET", "/cards/a")
    assert len(cabinet.calls) == 1


def test_calls_go_where_the_token_says(connect):
    elsewhere = connect()
    client = Filing(
        "http://127.0.0.1:9",
        tokens=RenewedToken(lambda: Token(value="t1", base_url=elsewhere._base_url + "/")),
    )
    assert client.request("GET", "/cards/a").body == {"name": "a"}
    client.close()


def test_after_the_time_for_a_batch_no_call_is_begun(connect):
    now = SimpleNamespace(seconds=0.0)
    client = connect(clock=lambda: now.seconds)
    client.begin(10)
    client.request("GET", "/cards/a")
    now.seconds = 10
    with pytest.raises(TemporaryFailure, match="the cabinet was too slow"):
        client.request("GET", "/cards/a")
    client.begin(None)
    client.request("GET", "/cards/a")
    assert client.calls == 2


@pytest.mark.parametrize(
    ("status", "headers", "kind", "wait"),
    [
        (429, {"Retry-After": "7"}, RateLimited, 7),
        (503, {"Retry-After": "3"}, TemporaryFailure, 3),
        (422, {}, PermanentFailure, None),
    ],
)
def test_an_answer_that_is_no_success_is_raised_as_what_it_means(
    cabinet, connect, status, headers, kind, wait
):
    cabinet.answer = ("", status, headers)
    with pytest.raises(kind) as caught:
        connect().request("GET", "/cards/a")
    assert getattr(caught.value, "retry_after", None) == wait


@pytest.mark.parametrize("body", ["<html>", "[" * 100_000, "{"])
def test_a_page_in_the_place_of_json_is_temporary(cabinet, connect, body):
    cabinet.answer = body
    with pytest.raises(TemporaryFailure):
        connect().request("GET", "/cards/a")


def test_an_answer_without_a_body_is_an_answer(cabinet, connect):
    cabinet.answer = ("", 204)
    answer = connect().request("GET", "/cards/a")
    assert (answer.status, answer.body) == (204, None)


def test_a_redirect_is_not_followed_with_the_token(cabinet, connect):
    cabinet.answer = ("", 302, {"Location": "http://127.0.0.1:9/"})
    with pytest.raises(TemporaryFailure, match="302"):
        connect().request("GET", "/cards/a")


def test_a_pace_that_says_wait_sends_nothing(cabinet, connect):
    pace = Pace("the cabinet")
    pace.spread(left=0, most=100, seconds=60)
    with pytest.raises(RateLimited) as caught:
        connect(pace=pace).request("GET", "/cards/a")
    assert 55 < caught.value.retry_after <= 60
    assert cabinet.calls == []


def test_who_is_not_there_cannot_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = Filing(f"http://127.0.0.1:{port}")
    with pytest.raises(TemporaryFailure, match="the cabinet cannot be reached"):
        client.request("GET", "/cards/a")
    client.close()


@pytest.mark.parametrize("answer", DRIPPING)
def test_a_crm_that_answers_drop_by_drop_is_left_at_the_deadline(answer):
    with serving() as serve:
        client = Filing(serve(answer).url, timeout=0.2)
        with pytest.raises(TemporaryFailure, match=r"in time|cannot be reached"):
            client.request("PUT", "/", payload={})
        client.close()


def test_one_client_serves_many_threads(connect):
    client, bodies = connect(), []
    threads = [
        threading.Thread(target=lambda n=n: bodies.append(client.request("GET", f"/cards/{n}").body))
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(body["name"] for body in bodies) == sorted(map(str, range(16)))
