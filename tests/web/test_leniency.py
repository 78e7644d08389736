"""What is unusual about a good webhook and does not cost it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
import requests
from web_process import JSON, answer_of, event, head, signed, web_server

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    with web_server(tmp_path_factory.mktemp("lenient")) as server:
        yield server


def stored(web, raw: bytes) -> bool:
    with closing(sqlite3.connect(web.folder / "ledger.db")) as ledger:
        query = "SELECT count(*) FROM events WHERE event_id = ?"
        return ledger.execute(query, [json.loads(raw)["eventId"]]).fetchone() == (1,)


@pytest.mark.parametrize("slashes", ["/", "//"])
def test_slashes_at_the_end_of_a_path_do_not_matter(web, slashes):
    raw = event()
    headers = {"X-iAdvize-Signature": signed(raw), **JSON}
    answer = requests.post(f"{web.url}/webhooks/iadvize{slashes}", raw, headers=headers, timeout=60)
    assert answer.status_code == 204
    assert stored(web, raw)
    assert [web.get(path + slashes) for path in ("/health", "/livez", "/readyz")] == [200] * 3


def test_a_byte_order_mark_is_not_part_of_the_event(web):
    raw = BYTE_ORDER_MARK + event()
    assert web.post(raw).status_code == 204
    assert stored(web, raw)


@pytest.mark.parametrize(
    "between", ["\r\nX-iAdvize-Signature: ", ", ", ","], ids=["twice", "folded", "tight"]
)
def test_a_signature_that_is_said_twice_counts_once(web, between):
    raw = event()
    twice = f"X-iAdvize-Signature: {signed(raw)}{between}{signed(raw)}"
    with web.connect(head(twice, f"Content-Length: {len(raw)}") + raw) as connection:
        assert answer_of(connection).startswith(b"HTTP/1.1 204 ")
    assert stored(web, raw)


def test_two_signatures_that_differ_are_refused(web):
    raw = event()
    two = f"X-iAdvize-Signature: {signed(raw)}, {signed(b'another')}"
    with web.connect(head(two, f"Content-Length: {len(raw)}") + raw) as connection:
        answer = answer_of(connection)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"more than once" in answer
    assert not stored(web, raw)


def test_a_body_that_says_it_is_not_encoded_is_accepted(web):
    assert web.post(event(), Content_Encoding="identity").status_code == 204


def test_a_fact_that_cannot_be_read_is_left_out_and_named_in_the_log(web):
    raw = event(createdAt=1_700_000_000, clientId=335.0, operatorIds=[7, 2**63], visitorId="Jane\0Doe")
    assert web.post(raw).status_code == 204
    assert stored(web, raw)
    web.until(lambda: web.lines("facts left out"))
    (line,) = web.lines("facts left out")
    assert "/createdAt is not a string" in line
    assert "/operatorIds holds what is not an integer" in line
    assert "Jane" not in line


def test_a_signed_request_to_another_path_is_in_the_log_with_a_hint(web):
    raw = event()
    headers = {"X-iAdvize-Signature": signed(raw), **JSON}
    for _ in range(3):
        answer = requests.post(f"{web.url}/webhook/iadvize", raw, headers=headers, timeout=60)
        assert answer.status_code == 404
    web.until(lambda: web.lines("another path than /webhooks/iadvize; correct the app's callback URL"))
    assert len(web.lines("another path")) == 1
