from __future__ import annotations

import socket

import pytest
import requests
from flask import Flask, Response, request

from chatferry.emulators import Server


@pytest.fixture
def server():
    app = Flask("sample")
    app.add_url_rule(
        "/echo", "echo", view_func=lambda: request.get_data() or b"nothing", methods=["GET", "POST"]
    )
    app.add_url_rule("/broken", "broken", view_func=lambda: 1 / 0)
    app.add_url_rule(
        "/half", "half", view_func=lambda: Response(iter([b"half"]), headers={"Content-Length": "8"})
    )
    with Server(app) as running:
        yield running


def test_a_connection_serves_several_requests(server):
    with socket.create_connection(server.url.removeprefix("http://").split(":")) as connection:
        connection.settimeout(5)
        for body in (b"first", b"second"):
            head = f"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            answer = b""
            while not answer.endswith(body):
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")


def test_a_body_that_the_application_ignores_does_not_disturb_the_next_request(server):
    with requests.Session() as session:
        assert session.post(f"{server.url}/missing", data=b"x" * 100_000).status_code == 404
        assert session.post(f"{server.url}/echo", data=iter([b"in ", b"chunks"])).text == "in chunks"


def test_a_broken_application_is_an_internal_error(server):
    assert requests.get(f"{server.url}/broken", timeout=5).status_code == 500


def test_a_body_that_is_shorter_than_announced_ends_the_connection(server):
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(f"{server.url}/half", timeout=5)


def test_the_port_is_free_again_after_the_block():
    with Server(Flask("first")) as first, requests.Session() as session:
        session.get(first.url)
    host, port = first.url.removeprefix("http://").split(":")
    with Server(Flask("second"), host=host, port=int(port)) as second:
        assert second.url == first.url
