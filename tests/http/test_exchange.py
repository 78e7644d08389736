"""One HTTP exchange has one deadline and one size, whatever the other side does."""

from __future__ import annotations

import gzip
import time

import pytest
import requests
from dripping import DRIPPING, OK, PATIENCE, serving, silence
from urllib3 import Retry

from chatferry.http.exchange import AnswerTooLong, bounded_session


@pytest.fixture
def serve():
    with serving() as serve:
        yield serve


@pytest.fixture
def session():
    with bounded_session(largest=1_000_000) as made:
        yield made


@pytest.mark.parametrize("answer", DRIPPING)
@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_answers_drop_by_drop_is_left_at_the_deadline(serve, session, answer, method):
    server = serve(answer)
    before = time.monotonic()
    with pytest.raises(requests.Timeout):
        session.request(method, server.url, timeout=0.1)
    assert time.monotonic() - before < PATIENCE


def test_every_further_try_has_what_is_left_of_the_same_time(serve):
    server = serve(silence)
    before = time.monotonic()
    retry = Retry(50, allowed_methods=None, backoff_factor=0)
    with bounded_session(retry=retry) as session, pytest.raises((requests.Timeout, requests.ConnectionError)):
        session.get(server.url, timeout=0.2)
    assert time.monotonic() - before < PATIENCE


@pytest.mark.parametrize(
    "head", [b"Content-Length: 50000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n2FAF080\r\n", b"\r\n"]
)
def test_a_long_answer_is_not_read(serve, session, head):
    def answer(server, send):
        send(OK + head)
        while not server.stopping.is_set():
            send(b"x" * 65_536)

    with pytest.raises(AnswerTooLong, match="longer than 1000000 bytes"):
        session.get(serve(answer).url, timeout=PATIENCE)


def test_what_counts_is_the_size_after_unpacking(serve, session):
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 100_000

    def answer(server, send):  # noqa: ARG001  (as the others)
        send(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)

    with pytest.raises(AnswerTooLong):
        session.get(serve(answer).url, timeout=PATIENCE)


def test_an_answer_in_time_is_read_whole_and_its_connection_used_again(serve, session):
    packed = gzip.compress(b'{"a": 1}')

    def answer(server, send):  # noqa: ARG001  (as the others)
        send(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)

    server = serve(answer)
    assert [session.get(server.url, timeout=PATIENCE).json() for _ in range(3)] == [{"a": 1}] * 3
    assert server.connections == 1


def test_half_an_answer_is_no_answer(serve, session):
    def answer(server, send):  # noqa: ARG001  (as the others)
        send(OK + b"Content-Length: 100\r\n\r\nhalf")
        raise ConnectionAbortedError

    with pytest.raises(requests.RequestException):
        session.get(serve(answer).url, timeout=PATIENCE)


def test_without_a_time_out_it_waits(serve, session):
    def answer(server, send):
        server.stopping.wait(0.05)
        send(OK + b"Content-Length: 2\r\n\r\nok")

    assert session.get(serve(answer).url, timeout=None).text == "ok"
