"""Tokens, scopes, OAuth."""

from __future__ import annotations

import pytest
import requests
from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN

FORM = {"client_id": "client-emulator", "client_secret": HUBSPOT_CLIENT_SECRET}
REFRESH = {**FORM, "grant_type": "refresh_token", "refresh_token": HUBSPOT_REFRESH_TOKEN}


def token(hubspot, **form):
    return hubspot.call("POST", "/oauth/2026-09/token", data={**REFRESH, **form})


@pytest.mark.parametrize("value", ["", "pat-unknown"])
def test_a_call_without_a_good_token_is_401(hubspot, value):
    hubspot.token = value

    answer = hubspot.get("/crm/objects/2026-09/contacts")

    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_a_missing_scope_is_named(start):
    hubspot = start(token=["pat-reader=crm.objects.contacts.read"])
    hubspot.token = "pat-reader"

    answer = hubspot.objects("contacts", {"properties": {}})

    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    [error] = answer.json()["errors"]
    assert error["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]
    assert hubspot.get("/crm/objects/2026-09/contacts").status_code == 200


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("crm.schemas.contacts.write", "POST", "/crm/properties/2026-09/contacts"),
        ("crm.schemas.custom.write", "POST", "/crm-object-schemas/2026-09/schemas"),
        ("crm.objects.custom.read", "GET", "/crm/objects/2026-09/chat_conversation"),
        ("crm.objects.custom.write", "POST", "/crm/associations/2026-09/chat_conversation/0-1/batch/create"),
    ],
)
@pytest.mark.usefixtures("conversations")
def test_each_family_of_paths_asks_for_its_own_scope(hubspot, scope, method, path):
    every = hubspot.post("/_emulator/tokens", {"token": "pat-all"}).json()["scopes"]
    hubspot.post("/_emulator/tokens", {"token": "pat-less", "scopes": [one for one in every if one != scope]})
    hubspot.token = "pat-less"

    answer = hubspot.call(method, path, json={})

    assert answer.status_code == 403
    assert scope in answer.json()["errors"][0]["context"]["requiredGranularScopes"]


def test_a_token_added_and_revoked_by_the_back_door(hubspot):
    hubspot.post("/_emulator/tokens", {"token": "pat-new"})
    hubspot.token = "pat-new"
    assert hubspot.get("/crm/objects/2026-09/contacts").status_code == 200

    hubspot.call("DELETE", "/_emulator/tokens", json={"token": "pat-new"})

    assert hubspot.get("/crm/objects/2026-09/contacts").status_code == 401


def test_a_refresh_gives_an_access_token_that_expires(hubspot):
    answer = token(hubspot).json()
    assert (answer["expires_in"], answer["token_type"], answer["hub_id"]) == (1800, "bearer", 12345678)
    assert answer["refresh_token"] == HUBSPOT_REFRESH_TOKEN

    hubspot.token = answer["access_token"]
    assert hubspot.get("/crm/objects/2026-09/contacts").status_code == 200
    hubspot.advance(1801)
    expired = hubspot.get("/crm/objects/2026-09/contacts")
    assert (expired.status_code, expired.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_a_rotated_refresh_token_works_once(start):
    hubspot = start(rotate=True)

    renewed = token(hubspot).json()["refresh_token"]

    assert renewed != HUBSPOT_REFRESH_TOKEN
    assert token(hubspot).json()["status"] == "BAD_REFRESH_TOKEN"
    assert token(hubspot, refresh_token=renewed).status_code == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"client_id": "other"}, "BAD_CLIENT_ID"),
        ({"client_secret": "other"}, "BAD_CLIENT_SECRET"),
        ({"refresh_token": "other"}, "BAD_REFRESH_TOKEN"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
        ({"grant_type": "authorization_code", "code": "other"}, "BAD_AUTH_CODE"),
    ],
)
def test_a_bad_grant_is_refused(hubspot, form, status):
    answer = token(hubspot, **form)

    assert (answer.status_code, answer.json()["status"]) == (400, status)


def test_a_code_is_exchanged_once(hubspot):
    query = {
        "client_id": "client-emulator",
        "redirect_uri": "http://localhost/back",
        "scope": "oauth crm.objects.contacts.read",
        "state": "s1",
    }
    back = requests.get(f"{hubspot.url}/oauth/authorize", params=query, allow_redirects=False, timeout=10)
    location = back.headers["Location"]
    assert location.startswith("http://localhost/back?code=")
    assert location.endswith("&state=s1")
    code = location.partition("code=")[2].partition("&")[0]

    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost/back"}

    assert token(hubspot, **form).json()["scopes"] == ["oauth", "crm.objects.contacts.read"]
    assert token(hubspot, **form).status_code == 400


@pytest.mark.parametrize("prefix", ["/oauth/2026-09/token/", "/oauth/2026-09/"])
def test_tokens_are_introspected_and_revoked(hubspot, prefix):
    access = token(hubspot).json()["access_token"]

    def ask(action):
        return hubspot.call("POST", f"{prefix}{action}", data={**FORM, "token": access})

    assert ask("introspect").json()["active"] is True
    assert ask("revoke").status_code == 200
    assert ask("introspect").json() == {"active": False}
    hubspot.token = access
    assert hubspot.get("/crm/objects/2026-09/contacts").status_code == 401


def test_tokens_are_described_and_ended_at_the_legacy_addresses(hubspot):
    access = token(hubspot).json()["access_token"]

    assert hubspot.get(f"/oauth/v1/access-tokens/{access}").json()["token_type"] == "access"
    path = f"/oauth/v1/refresh-tokens/{HUBSPOT_REFRESH_TOKEN}"
    assert hubspot.get(path).json()["token_type"] == "refresh"
    assert hubspot.call("DELETE", path).status_code == 204
    assert hubspot.get(path).status_code == 404
    assert token(hubspot).json()["status"] == "BAD_REFRESH_TOKEN"
