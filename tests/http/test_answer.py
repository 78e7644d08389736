"""One HTTP answer, as connectors read it."""

from __future__ import annotations

from chatferry.http.answer import HttpAnswer


def test_headers_are_found_however_they_are_spelt():
    assert HttpAnswer(status=429, headers={"retry-after": "7"}).retry_after == 7
    assert HttpAnswer(status=429).retry_after is None
    assert HttpAnswer(status=200, headers={"X-ID": "a"}).header("x-id") == "a"


def test_what_came_is_shown_in_no_repr():
    answer = HttpAnswer(status=200, headers={"Set-Cookie": "sid=1"}, body={"email": "ana@example.com"})
    assert "ana@" not in repr(answer)
    assert "sid" not in repr(answer)
