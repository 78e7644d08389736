from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from chatferry.http import Bearer, may_carry_secrets, retry_after

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        ("0.5", 0.5),
        ("Mon, 01 Jan 2024 12:01:00 GMT", 60.0),
        ("Mon, 01 Jan 2024 12:01:00 -0000", 60.0),
        ("Mon, 01 Jan 2024 11:00:00 GMT", 0.0),
        ("-5", 0.0),
        ("1e400", 86_400.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_how_long_to_wait_is_read_from_numbers_and_dates(header, seconds):
    assert retry_after(header, NOW) == seconds


@given(st.text())
def test_no_wait_is_too_strange(text):
    wait = retry_after(text)
    assert wait is None or 0 <= wait <= 86_400


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://api.iadvize.com", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("http://api.iadvize.com", False),
        ("http://127.0.0.1.example.com", False),
        ("https://", False),
        ("ftp://localhost", False),
        ("localhost", False),
        ("http://[::1", False),
    ],
)
def test_secrets_travel_over_tls_or_not_at_all(url, safe):
    assert may_carry_secrets(url) is safe


@pytest.mark.parametrize(("token", "header"), [("abc", "Bearer abc"), (None, None)])
def test_a_netrc_signs_no_request(token, header, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine crm.example login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with requests.Session() as session:
        request = session.prepare_request(requests.Request("GET", "https://crm.example/", auth=Bearer(token)))
    assert request.headers.get("Authorization") == header
