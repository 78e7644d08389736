"""Where the bearer token comes from: a static one, or OAuth's, renewed before it runs out."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chatferry import AuthFailure, Memory, Secret, TemporaryFailure
from chatferry_hubspot.settings import Options

MARGIN = 120.0
"""Seconds before its end at which a token is renewed; a tenth of its life if that is less."""
ROTATED = "oauth.refresh_token"
LOOKS = (0.05, 0.1, 0.2, 0.4)
"""Seconds between looks for a token that another process, which was faster, is about to keep."""


class BearerToken(Protocol):
    """Hands out the bearer token."""

    def get(self) -> str:
        """Return a token that is good for the next call."""

    def renew(self, refused: str) -> bool:
        """Replace a token HubSpot has refused; False if there is no other."""


def token_of(
    options: Options,
    memory: Memory,
    *,
    exchange: Callable[[Mapping[str, str]], Mapping[str, Any]],
    clock: Callable[[], float] = time.monotonic,
) -> BearerToken:
    """Return the token that the settings ask for.

    :raises AuthFailure: if they are incomplete.
    """
    if options.access_token is not None:
        return StaticToken(options.access_token)
    if options.client_id is None or options.client_secret is None or options.refresh_token is None:
        raise AuthFailure("there is no access_token, and no complete OAuth settings either")
    return OAuthToken(
        client_id=options.client_id,
        client_secret=options.client_secret,
        refresh_token=options.refresh_token,
        memory=memory,
        exchange=exchange,
        clock=clock,
    )


class StaticToken:
    """A service key, a project app's static token or an old private app's: it never expires."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def get(self) -> str:
        """Return the token."""
        return self._secret.reveal()

    def renew(self, refused: str) -> bool:  # noqa: ARG002  (nothing to renew)
        """Say that there is no other."""
        return False


class OAuthToken:
    """Renews access tokens by ``expires_in``, one renewal at a time, and keeps rotated refresh tokens.

    The rotated one is kept in the destination's memory, bound to the configured one: a new
    installation, which changes the configuration, is not answered with a stale token.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: Secret,
        refresh_token: Secret,
        memory: Memory,
        exchange: Callable[[Mapping[str, str]], Mapping[str, Any]],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sleep = sleep
        self._client_id = client_id
        self._client_secret = client_secret
        self._configured = refresh_token
        self._memory = memory
        self._exchange = exchange
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def get(self) -> str:
        """Return a token with some life left, renewing it if need be."""
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._refresh()
            return self._token

    def renew(self, refused: str) -> bool:
        """Renew, unless another thread did since ``refused`` was handed out."""
        with self._lock:
            if self._token == refused:
                self._refresh()
            return True

    def _refresh(self) -> None:
        self._token = ""
        used = self._refresh_token()
        try:
            body = self._ask(used)
        except AuthFailure:
            if not self._rotated_elsewhere(used):
                raise
            body = self._ask(self._refresh_token())
        token, rotated = body.get("access_token"), body.get("refresh_token")
        if not isinstance(token, str) or not token:
            raise TemporaryFailure("HubSpot's token answer holds no access_token")
        if isinstance(rotated, str) and rotated and rotated != self._refresh_token():
            self._memory.put(ROTATED, json.dumps({"of": self._fingerprint, "token": rotated}))
        life = body.get("expires_in")
        seconds = float(life) if isinstance(life, int | float) and life > 0 else 1800.0
        self._renew_at = self._clock() + seconds - min(MARGIN, seconds / 10)
        self._token = token

    def _rotated_elsewhere(self, used: str) -> bool:
        """Return whether another process has used the token up and kept the one it got for it.

        It may have been refused here before the other process has written its answer down.
        """
        for seconds in LOOKS:
            if self._refresh_token() != used:
                return True
            self._sleep(seconds)
        return self._refresh_token() != used

    def _ask(self, refresh_token: str) -> Mapping[str, Any]:
        return self._exchange(
            {
                "grant_type": "refresh_token",
                "client_id": self._client_id,
                "client_secret": self._client_secret.reveal(),
                "refresh_token": refresh_token,
            }
        )

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(self._configured.reveal().encode()).hexdigest()[:16]

    def _refresh_token(self) -> str:
        kept = self._memory.get(ROTATED)
        if kept is not None:
            try:
                entry = json.loads(kept)
                if entry["of"] == self._fingerprint:
                    return str(entry["token"])
            except (ValueError, KeyError, TypeError):
                pass
        return self._configured.reveal()
