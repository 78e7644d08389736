"""What senders without a secret can do to the endpoint: nothing that others notice.

The servers here give a body a minute: an answer that comes sooner does not owe it to the deadline.
"""

from __future__ import annotations

import select
import struct
import time
from contextlib import ExitStack

import pytest
import requests
from web_process import answer_of, event, head, signed, web_server

PATIENT = "body_timeout = 60"
UNFINISHED = {
    "with a length": head("Content-Length: 2000") + b"{",
    "in chunks": head("Transfer-Encoding: chunked") + b"1\r\n{\r\n",
    "without a byte": head("Content-Length: 2000"),
}


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    with web_server(tmp_path_factory.mktemp("patient"), PATIENT) as server:
        yield server


def health(web) -> list[int | None]:
    return [web.get(path) for path in ("/health", "/livez", "/readyz")]


@pytest.mark.parametrize("begun", UNFINISHED.values(), ids=UNFINISHED)
def test_bodies_that_never_end_hold_up_neither_webhooks_nor_health(patient, begun):
    with ExitStack() as stack:
        for _ in range(80):  # more than there are threads
            stack.enter_context(patient.connect(begun))
        assert health(patient) == [200] * 3
        assert [patient.post(event()).status_code for _ in range(5)] == [204] * 5


def test_a_connection_of_http2_begins_nothing(patient):
    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return (
            struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload
        )

    fields = [(b":method", b"POST"), (b":path", b"/webhooks/iadvize"), (b":scheme", b"http")]
    fields += [(b":authority", b"x"), (b"content-type", b"application/json")]
    packed = b"".join(
        b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields
    )
    streams = range(1, 161, 2)
    wanted = b"".join(frame(1, 4, number, packed) + frame(0, 0, number, b"{") for number in streams)
    connection = patient.connect(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
    try:
        connection.sendall(wanted)
        connection.recv(65_536)
    except OSError:
        pass  # the server hung up, which is as good
    finally:
        connection.close()
    assert health(patient) == [200] * 3
    assert patient.post(event()).status_code == 204


REFUSED_UNREAD = {
    "no signature": (("X-iAdvize-Signature:",), 401, b"is missing"),
    "no digest": (("X-iAdvize-Signature: sha256=" + "g" * 64,), 401, b"not 64 hexadecimal digits"),
    "no JSON": (("Content-Type: text/plain",), 415, b"choose application/json"),
    "compressed": (("Content-Encoding: gzip",), 415, b"the body is encoded with gzip"),
    "compressed oddly": (('Content-Encoding: "Jane Doe"',), 415, b"encoded with an unknown encoding"),
}


@pytest.mark.parametrize(("lines", "status", "says"), REFUSED_UNREAD.values(), ids=REFUSED_UNREAD)
def test_what_its_head_gives_away_is_refused_before_the_body_comes(patient, lines, status, says):
    with patient.connect(head(*lines, "Content-Length: 2000")) as connection:
        answer = answer_of(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert says in answer


def test_a_body_that_will_be_too_long_is_refused_before_it_comes(patient):
    with patient.connect(head("Content-Length: 100001")) as connection:
        answer = answer_of(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100000 bytes at most" in answer


def test_a_body_has_a_deadline(tmp_path):
    with web_server(tmp_path, "body_timeout = 0.5") as web:
        before = web.events()
        for begun in UNFINISHED.values():
            with web.connect(begun) as connection:
                answer = answer_of(connection)
                assert answer.startswith(b"HTTP/1.1 408 ")
                assert b"did not come within 0.5 s (web.body_timeout)" in answer
        assert web.events() == before


def first_answered(begin, begun: list) -> object:
    """Begin further bodies until the server answers one; return that one.

    How soon a body is no longer young depends on when the server first saw it.
    """
    deadline = time.monotonic() + 40  # the bodies have a minute
    while not (answered := select.select(begun, [], [], 0.5)[0]):
        assert time.monotonic() < deadline
        begun.append(begin())
    return answered[0]


def test_the_slowest_body_of_an_address_gives_way_to_the_next(tmp_path):
    with web_server(tmp_path, PATIENT + "\nbodies_per_address = 2") as web, ExitStack() as stack:

        def begin():
            return stack.enter_context(web.connect(UNFINISHED["with a length"]))

        begun = [begin(), begin()]
        oldest = first_answered(begin, begun)
        assert oldest in begun[:2]
        assert answer_of(oldest).startswith(b"HTTP/1.1 408 ")
        assert web.post(event()).status_code == 204


def test_behind_a_trusted_proxy_addresses_do_not_displace_each_other(tmp_path):
    more = PATIENT + '\nbodies_per_address = 1\ntrusted_proxies = ["127.0.0.0/8"]'
    with web_server(tmp_path, more) as web, ExitStack() as stack:

        def begin(address: str = "192.0.2.1"):
            begun = head("Content-Length: 2000", f"X-Forwarded-For: 192.0.2.9, {address}") + b"{"
            return stack.enter_context(web.connect(begun))

        another = begin("192.0.2.2")
        answered = first_answered(begin, [begin(), another])
        assert answered is not another
        assert answer_of(answered).startswith(b"HTTP/1.1 408 ")


BROKEN = {
    "a size that is none": b"1\r\n{\r\nZZ\r\n",
    "no size": b"1\r\n{\r\n\r\n\r\n",
    "a chunk that is longer than it said": b"1\r\n{{{{\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("chunks", BROKEN.values(), ids=BROKEN)
def test_malformed_chunks_are_a_bad_request_and_no_matter_of_signatures(patient, chunks):
    before = patient.events()
    with patient.connect(head("Transfer-Encoding: chunked") + chunks) as connection:
        answer = answer_of(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"its chunks are malformed" in answer
    assert patient.events() == before


def test_a_signed_body_that_breaks_off_is_not_stored(patient):
    before = patient.events()
    whole = event()
    begun = head(f"X-iAdvize-Signature: {signed(whole)}", "Transfer-Encoding: chunked")
    with patient.connect(begun + b"%x\r\n%b\r\n" % (len(whole), whole)):
        pass  # all of it came, but for the end
    patient.until(lambda: patient.lines("Body incomplete"))
    assert patient.events() == before


def test_what_anybody_can_have_refused_is_summed_up_in_the_log(tmp_path):
    with web_server(tmp_path) as web:
        with requests.Session() as session:
            for number in range(300):
                signature = "sha256=" + "0" * 64 if number % 3 else ""
                headers = {"Content-Type": "application/json", "X-iAdvize-Signature": signature}
                answer = session.post(f"{web.url}/webhooks/iadvize", b"{}", headers=headers, timeout=60)
                assert answer.status_code == 401
        assert web.stop() == 0
        assert len(web.lines("webhook refused")) == 2  # one of each kind
        (summed,) = web.lines("more webhooks refused")
        assert "count=298" in summed
        assert "is missing': 99" in summed
        assert 'secret token": 199' in summed
