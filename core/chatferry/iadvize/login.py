"""Logging in (OAuth 2 password grant): one access key for all processes, renewed before it expires.

iAdvize docs, "Authentication" and "Managing iAdvize API access tokens": a key lives 24 hours;
10 logins a minute and user are allowed; a key is renewed before it expires, not on failure.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from chatferry.errors import PlatformAuthFailure, PlatformRefused, PlatformUnavailable
from chatferry.http import Bearer
from chatferry.http.exchange import bounded_session
from chatferry.http.token_store import AccessToken, TokenStore
from chatferry.iadvize.http import KeyRefused, Unreached, post
from chatferry.settings.model import ClientSettings
from chatferry.settings.secrets import Secret

_LARGEST = 1_000_000
"""Bytes of an answer to a login."""
_MARGIN = 300.0
"""Seconds before its expiry at which a key is renewed."""


class _Grant(Schema):
    class Meta:
        unknown = EXCLUDE

    access_token = fields.String(required=True, validate=validate.Regexp(r"^[\x21-\x7e]+$"))
    expires_in = fields.Float(load_default=86_400.0, validate=validate.Range(min=1.0))


class Login:
    """The access key of one client, shared with every other thread and process."""

    def __init__(
        self, settings: ClientSettings, tokens: TokenStore, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._clock = clock
        username = settings.username.reveal()
        self._user = _digest(settings.api_url, username)
        self._key = _digest(settings.api_url, username, settings.platform)
        self._latest: AccessToken | None = None
        self._last = ""
        self._guard = threading.Lock()

    def token(self) -> AccessToken:
        """Return a key that is valid for some minutes more; log in if there is none.

        :raises PlatformAuthFailure: if user and password are refused.
        :raises PlatformUnavailable: if it is too early for a login, or iAdvize is unavailable.
        """
        latest = self._latest
        if latest and latest.renew_at > self._clock():
            return latest
        with self._guard:
            self._latest = self._shared() or self._log_in_alone()
            return self._latest

    def refuse(self, token: AccessToken) -> None:
        """Forget a key that iAdvize refused."""
        self._tokens.forget(self._key, token)
        with self._guard:
            if self._latest == token:
                self._latest = None

    def _shared(self) -> AccessToken | None:
        token = self._tokens.get(self._key)
        return token if token and token.renew_at > self._clock() else None

    def _log_in_alone(self) -> AccessToken:
        with self._tokens.lock(self._key):
            # The previous holder of the lock has probably logged in.
            token = self._shared()
            if token is None:
                token = self._log_in()
                self._tokens.put(self._key, token)
        return token

    def _log_in(self) -> AccessToken:
        now = self._clock()
        wait = self._tokens.login_allowed(self._user, now)
        if wait > 0:
            raise PlatformUnavailable(f"too many logins to iAdvize in a minute{self._last}", retry_after=wait)
        try:
            grant = self._request()
        except PlatformUnavailable as error:
            self._last = f"; the last one failed: {error}"
            if isinstance(error, Unreached):
                self._tokens.login_unsent(self._user, now)
            if error.retry_after:
                self._tokens.block_logins(self._user, self._clock() + error.retry_after)
            # Not the subclass, with which a smaller document would be tried.
            raise PlatformUnavailable(str(error), retry_after=error.retry_after) from None
        except (PlatformRefused, KeyRefused):
            # RFC 6749 answers a wrong password with 400, others with 401.
            self._last = "; the last one was refused"
            raise PlatformAuthFailure(
                f"iAdvize refuses the user and password of client {self._settings.client_id}; check"
                f" {self._settings.username.reference} and {self._settings.password.reference}"
            ) from None
        self._last = ""
        life = grant["expires_in"]
        renew_at = self._clock() + life - min(_MARGIN, life / 10)
        return AccessToken(value=Secret(grant["access_token"], "access key"), renew_at=renew_at)

    def _request(self) -> dict[str, Any]:
        form = {
            "username": self._settings.username.reveal(),
            "password": self._settings.password.reveal(),
            "grant_type": "password",
        }
        url = f"{self._settings.api_url.rstrip('/')}/oauth2/token"
        with bounded_session(largest=_LARGEST) as session:
            body = post(session.post, url, self._settings.timeout, self._clock, data=form, auth=Bearer(None))
        try:
            return dict(_Grant().loads(body.decode()))
        except (ValueError, RecursionError, ValidationError):
            raise PlatformUnavailable("iAdvize's token endpoint answered something else") from None


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
