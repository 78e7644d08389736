"""Sessions: the three flows, how they end, and the allowance of calls."""

from __future__ import annotations

import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from private_values import SALESFORCE_CLIENT_SECRET, SALESFORCE_REFRESH_TOKEN

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
USER = "integration@emulator.example.com"


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def with_certificate(start, key):
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return start(certificate=public.decode())


def assertion(key, **claims):
    whole = {
        "iss": "key-emulator",
        "sub": USER,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120,
        **claims,
    }
    return jwt.encode(whole, key, algorithm="RS256")


def test_client_credentials_open_a_session_without_an_end_and_name_the_address(org):
    answer = org.grant(
        grant_type="client_credentials", client_id="key-emulator", client_secret=SALESFORCE_CLIENT_SECRET
    ).json()
    assert answer["instance_url"] == org.url
    assert "expires_in" not in answer
    assert "refresh_token" not in answer
    assert {"scope": "api", "token_type": "Bearer"}.items() <= answer.items()


def test_credentials_may_come_in_the_header(org):
    answer = requests.post(
        f"{org.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=("key-emulator", SALESFORCE_CLIENT_SECRET),
        timeout=10,
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_id": "key-emulator"}, "invalid_client"),
        ({"grant_type": "password", "username": USER}, "invalid_grant"),
        ({"grant_type": "something"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_a_refused_token_is_an_object_and_no_list(org, form, error):
    answer = org.grant(**form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


def test_an_assertion_that_is_signed_with_the_key_opens_a_session(with_certificate, key):
    answer = with_certificate.grant(grant_type=GRANT, assertion=assertion(key))
    assert answer.status_code == 200, answer.text
    with_certificate.token = answer.json()["access_token"]
    assert with_certificate.call("GET", "/limits").status_code == 200


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "https://example.com"}, "audience is invalid"),
        ({"exp": int(time.time()) - 1}, "expired"),
        ({"exp": int(time.time()) + 3600}, "expired"),
        ({"sub": "another@example.com"}, "hasn't approved"),
        ({"iss": "another"}, "client identifier"),
    ],
)
def test_an_assertion_that_says_something_else_is_refused(with_certificate, key, claims, words):
    answer = with_certificate.grant(grant_type=GRANT, assertion=assertion(key, **claims))
    assert answer.status_code == 400
    assert words in answer.json()["error_description"]


def test_an_assertion_signed_by_somebody_else_is_refused(with_certificate):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert with_certificate.grant(grant_type=GRANT, assertion=assertion(other)).status_code == 400


def test_a_refresh_token_stays_unless_it_is_rotated(start):
    form = {
        "grant_type": "refresh_token",
        "client_id": "key-emulator",
        "client_secret": SALESFORCE_CLIENT_SECRET,
    }
    fixed = start()
    first = fixed.grant(**form, refresh_token=SALESFORCE_REFRESH_TOKEN)
    assert "refresh_token" not in first.json()
    assert fixed.grant(**form, refresh_token=SALESFORCE_REFRESH_TOKEN).status_code == 200
    rotating = start(rotate=True)
    new = rotating.grant(**form, refresh_token=SALESFORCE_REFRESH_TOKEN).json()["refresh_token"]
    assert rotating.grant(**form, refresh_token=SALESFORCE_REFRESH_TOKEN).status_code == 400
    assert rotating.grant(**form, refresh_token=new).status_code == 200


def test_a_session_lives_on_with_use_and_ends_without(start):
    org = start(session_life=100)
    for _ in range(3):
        org.advance(60)
        assert org.call("GET", "/limits").status_code == 200
    org.advance(101)
    answer = org.call("GET", "/limits")
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_sessions_can_be_ended(org):
    org.call("DELETE", "/_emulator/sessions")
    assert org.call("GET", "/limits").status_code == 401


def test_the_versions_are_read_without_a_session(org):
    listed = requests.get(f"{org.url}/services/data/", timeout=10).json()
    assert [listed[0]["version"], listed[-1]["version"]] == ["31.0", "68.0"]


@pytest.mark.parametrize(("version", "status"), [("31.0", 200), ("30.0", 410), ("69.0", 404), ("x", 404)])
def test_retired_versions_are_gone_and_later_ones_not_there_yet(org, version, status):
    assert org.call("GET", f"/services/data/v{version}/limits").status_code == status


def test_every_answer_says_how_many_calls_were_used(org):
    headers = [org.call("GET", "/limits").headers["Sforce-Limit-Info"] for _ in range(2)]
    assert headers == ["api-usage=1/100000", "api-usage=2/100000"]


def test_used_up_calls_come_back_one_by_one_with_the_hours(start):
    org = start(daily=2)
    org.call("GET", "/limits")
    org.advance(3600)
    org.call("GET", "/limits")
    refused = org.call("GET", "/limits")
    assert refused.status_code == 403
    assert refused.json()[0] == {
        "message": "TotalRequests Limit exceeded.",
        "errorCode": "REQUEST_LIMIT_EXCEEDED",
    }
    assert "Retry-After" not in refused.headers
    org.advance(86_400 - 3600)
    org.open()
    assert org.call("GET", "/limits").json()["DailyApiRequests"] == {"Max": 2, "Remaining": 0}
    assert org.call("GET", "/limits").status_code == 403


def test_a_path_that_leads_nowhere_is_a_404_and_a_wrong_method_a_405(org):
    assert org.call("GET", "/nowhere").json()[0]["errorCode"] == "NOT_FOUND"
    assert org.call("PUT", "/limits").status_code == 405


def test_an_address_that_is_too_long_is_refused(org):
    assert org.query(f"SELECT Id FROM Lead WHERE Email IN ('{'x' * 17_000}')").status_code == 414
