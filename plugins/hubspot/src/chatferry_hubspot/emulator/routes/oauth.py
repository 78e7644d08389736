"""OAuth: codes, tokens, introspection, revocation (HubSpot docs, 'OAuth tokens')."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import jsonify, redirect, request
from flask.typing import ResponseReturnValue

from chatferry_hubspot.emulator.errors import ApiError
from chatferry_hubspot.emulator.keys import Key, refused_grant
from chatferry_hubspot.emulator.serving import account
from chatferry_hubspot.emulator.settings import SCOPES

USER_ID = 1001
APP_ID = 2002


def authorize() -> ResponseReturnValue:
    """Answer as if a user had clicked *allow*: back to the app, with a code."""
    target = request.args.get("redirect_uri", "")
    if request.args.get("client_id") != account().settings.client_id or not target:
        raise refused_grant("BAD_CLIENT_ID", "missing or unknown client id")
    scopes = tuple(request.args.get("scope", "").split()) or SCOPES
    answer = {"code": account().keys.authorize(scopes, target)}
    if state := request.args.get("state"):
        answer["state"] = state
    return redirect(f"{target}{'&' if '?' in target else '?'}{urlencode(answer)}")


def token() -> ResponseReturnValue:
    """Exchange a code or a refresh token for an access token."""
    _check_client()
    grant, form, keys = request.form.get("grant_type"), request.form, account().keys
    if grant == "refresh_token":
        access, refresh = keys.renew(form.get("refresh_token", ""))
    elif grant == "authorization_code":
        access, refresh = keys.exchange(form.get("code", ""), form.get("redirect_uri", ""))
    else:
        raise refused_grant("BAD_GRANT_TYPE", "grant_type must be authorization_code or refresh_token")
    return jsonify(
        access_token=access.value,
        refresh_token=refresh.value,
        expires_in=int(account().settings.token_life),
        token_type="bearer",  # noqa: S106  (a kind of token, no secret)
        token_use="access_token",  # noqa: S106  (the same)
        hub_id=account().settings.portal_id,
        user_id=USER_ID,
        scopes=list(access.scopes),
    )


def _check_client() -> None:
    settings = account().settings
    if request.mimetype != "application/x-www-form-urlencoded":
        raise ApiError(415, None, "Unsupported Media Type: a form is expected")
    if request.form.get("client_id") != settings.client_id:
        raise refused_grant("BAD_CLIENT_ID", "missing or unknown client id")
    if request.form.get("client_secret") != settings.client_secret:
        raise refused_grant("BAD_CLIENT_SECRET", "missing or invalid client secret")


def _info(key: Key) -> dict[str, Any]:
    info = {
        "token": key.value,
        "hub_id": account().settings.portal_id,
        "hub_domain": "emulator.example.com",
        "user": "emulator@example.com",
        "user_id": USER_ID,
        "scopes": list(key.scopes),
        "client_id": account().settings.client_id,
    }
    if key.expires is None:
        return {**info, "token_type": "refresh"}
    left = max(0, int(key.expires - account().clock.now()))
    return {**info, "token_type": "access", "app_id": APP_ID, "expires_in": left}


def introspect() -> ResponseReturnValue:
    """Say whether a token is valid, and its scopes."""
    _check_client()
    keys, value = account().keys, request.form.get("token", "")
    key = keys.access.get(value) or keys.refresh.get(value)
    if key is None or (key.expires is not None and key.expires <= account().clock.now()):
        return jsonify(active=False)
    return jsonify(active=True, **_info(key))


def revoke() -> ResponseReturnValue:
    """Revoke a token; an unknown one is ignored."""
    _check_client()
    account().keys.revoke(request.form.get("token", ""))
    return jsonify({})


def access_token(value: str) -> ResponseReturnValue:
    """Describe an access token (the legacy address)."""
    return _described(account().keys.access.get(value))


def refresh_token(value: str) -> ResponseReturnValue:
    """Describe a refresh token (the legacy address)."""
    return _described(account().keys.refresh.get(value))


def _described(key: Key | None) -> ResponseReturnValue:
    if key is None:
        raise ApiError(404, None, "Not found", status="NOT_FOUND")
    return jsonify(_info(key))


def revoke_refresh_token(value: str) -> ResponseReturnValue:
    """Revoke a refresh token (the legacy address)."""
    account().keys.revoke(value)
    return "", 204


ROUTES = (
    ("POST", "/token", token),
    ("POST", "/token/introspect", introspect),
    ("POST", "/token/revoke", revoke),
    ("POST", "/introspect", introspect),
    ("POST", "/revoke", revoke),
)
LEGACY = (
    ("GET", "/access-tokens/<value>", access_token),
    ("GET", "/refresh-tokens/<value>", refresh_token),
    ("DELETE", "/refresh-tokens/<value>", revoke_refresh_token),
)
AUTHORIZE = (("GET", "/oauth/authorize", authorize),)
