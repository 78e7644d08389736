"""The endpoint as ``chatferry serve --web-only`` runs it, over real HTTP, and what it makes of bad input."""

from __future__ import annotations

import resource
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import requests
from private_values import WEBHOOK_SECRET
from web_process import event, web_server

from chatferry.emulators.iadvize import signature


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    with web_server(tmp_path_factory.mktemp("web")) as server:
        yield server


def refused(answer, status: int, says: str) -> None:
    """Check that an answer says what is wrong, as a problem document."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert says in problem["title"] + ": " + problem["detail"]


@pytest.fixture
def unchanged(web):
    """Nothing may be written meanwhile."""
    before = web.events()
    yield web
    assert web.events() == before


def test_a_signed_event_is_acknowledged_once_it_is_written(web):
    before = web.events()
    assert web.post(event()).status_code == 204
    assert web.events() == before + 1


def test_a_missing_signature_is_refused(unchanged):
    refused(unchanged.post(event(), **{"X-iAdvize-Signature": ""}), 401, "is missing")


def test_a_forged_signature_is_refused(unchanged):
    raw = event()
    forged = {"X-iAdvize-Signature": signature("another secret", raw)}
    refused(unchanged.post(raw, **forged), 401, "does not belong to this body")


def test_a_short_signature_is_refused(unchanged):
    raw = event()
    short = {"X-iAdvize-Signature": signature(WEBHOOK_SECRET, raw)[:-1]}
    refused(unchanged.post(raw, **short), 401, "not 64 hexadecimal digits")


def test_another_algorithm_is_refused(unchanged):
    other = {"X-iAdvize-Signature": "sha1=" + "0" * 40}
    refused(unchanged.post(event(), **other), 401, "only sha256")


def test_a_tampered_body_is_refused(unchanged):
    raw = event()
    signed = {"X-iAdvize-Signature": signature(WEBHOOK_SECRET, raw)}
    refused(unchanged.post(raw.replace(b"1549", b"1550"), **signed), 401, "does not belong")


def test_what_is_not_json_is_refused(unchanged):
    refused(unchanged.post(b"{'eventId': 1}"), 400, "Not JSON: line 1, column 2")


def test_wrong_types_are_named(unchanged):
    wrong = event(clientId="many", conversationId=[1], eventType=7)
    answer = unchanged.post(wrong)
    refused(answer, 422, "/eventType is not a string; /clientId is not an integer")


def test_missing_ids_are_named(unchanged):
    answer = unchanged.post(event(eventId=None, platform=None))
    refused(answer, 422, "/eventId is missing; /platform is missing")


def test_a_body_of_ten_megabytes_is_refused_unread(unchanged):
    raw = event(padding="x" * 10_000_000)
    try:
        answer = unchanged.post(raw)
    except requests.ConnectionError:
        return  # the server hung up before it had it all, which is the point
    refused(answer, 413, "100000 bytes at most (web.body_limit)")


@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_is_too_long_by_a_byte(web, in_chunks):
    room = 100_000 - len(event(padding=""))
    longest, longer = event(padding="x" * room), event(padding="x" * (room + 1))
    assert web.post(longest, in_chunks=in_chunks).status_code == 204
    refused(web.post(longer, in_chunks=in_chunks), 413, "100000 bytes at most (web.body_limit)")


def test_the_log_says_what_was_wrong_and_shows_no_value(web):
    web.post(event(clientId="Jane Doe"))
    web.until(lambda: "detail" in web.log())
    assert "/clientId is not an integer" in web.log()
    assert "Jane Doe" not in web.log()


def test_a_webhook_that_waits_for_the_ledger_keeps_nobody_else_waiting(web):
    with closing(sqlite3.connect(web.folder / "ledger.db")) as other, ThreadPoolExecutor() as pool:
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(web.post, event())
        assert [web.get("/livez") for _ in range(30)] == [200] * 30
        assert not waiting.done()
        other.rollback()
        assert waiting.result().status_code == 204


def test_deep_json_is_refused(unchanged):
    raw = b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    refused(unchanged.post(raw), 400, "nested more than 32 deep")


def test_another_content_type_is_refused(unchanged):
    answer = requests.post(
        f"{unchanged.url}/webhooks/iadvize",
        data=(raw := event()),
        headers={"Content-Type": "text/plain", "X-iAdvize-Signature": signature(WEBHOOK_SECRET, raw)},
        timeout=60,
    )
    refused(answer, 415, "application/json")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_refused(unchanged, method):
    answer = requests.request(method, f"{unchanged.url}/webhooks/iadvize", timeout=60)
    refused(answer, 405, "Method Not Allowed")


def test_an_unknown_address_is_refused(unchanged):
    refused(requests.post(f"{unchanged.url}/nowhere", timeout=60), 404, "Not Found")


def test_a_replayed_event_is_acknowledged_and_kept_once(web):
    raw = event()
    before = web.events()
    assert [web.post(raw).status_code for _ in range(3)] == [204, 204, 204]
    assert web.events() == before + 1


def test_an_unknown_client_is_acknowledged_kept_and_reported(web):
    assert web.post(event(clientId=999)).status_code == 204
    assert web.kept()["client ha/999 is not configured"] == 1


def test_the_public_health_check_answers_as_the_marketplace_wants_it(web):
    answer = requests.get(f"{web.url}/health", timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"status": "UP"})


def test_the_probes_of_orchestrators_answer(web):
    assert web.get("/livez") == 200
    assert web.get("/readyz") == 200


def test_a_full_disk_is_answered_503_and_is_over_once_there_is_room(tmp_path):
    """A limit on the size of files refuses to write as a full disk does."""
    with web_server(tmp_path) as web:
        assert web.post(event()).status_code == 204
        full = (0, resource.RLIM_INFINITY)
        for pid in web.processes():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, full)
        answer = web.post(event())
        refused(answer, 503, "Not stored")
        assert int(answer.headers["Retry-After"]) > 0
        web.until(lambda: web.get("/readyz") == 503)
        assert web.get("/health") == 200
        assert web.events() == 1
        for pid in web.processes():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        web.until(lambda: web.get("/readyz") == 200)
        assert web.post(event()).status_code == 204
        assert web.events() == 2
