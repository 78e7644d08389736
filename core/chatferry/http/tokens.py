"""Where a bearer token comes from: one that never ends, or one that is renewed, by one thread at a time."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from chatferry.connector import Memory
from chatferry.errors import AuthFailure, TemporaryFailure
from chatferry.settings.secrets import Secret

MARGIN = 120.0
"""Seconds before its end at which a token is renewed; a tenth of its life if that is less."""
LOOKS = (0.05, 0.1, 0.2, 0.4)
"""Seconds between looks for a token that another process, which was faster, is about to keep."""
ROTATED = "oauth.refresh_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, and where it is good for."""

    value: str = field(repr=False)
    base_url: str = ""
    """The address that calls go to, where the CRM names it with the token."""
    life: float | None = None
    """Seconds it lives, None if the CRM does not say."""


class TokenSource(Protocol):
    """Hands out the bearer token; called by several threads."""

    def get(self) -> Token:
        """Return a token that is good for the next call.

        :raises DeliveryError: if none is to be had.
        """

    def renew(self, refused: Token) -> bool:
        """Replace a token that the CRM has refused; False if there is no other."""


class StaticToken:
    """A token that never ends by itself: an API key, a service key."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def get(self) -> Token:
        """Return the token."""
        return Token(value=self._secret.reveal())

    def renew(self, refused: Token) -> bool:  # noqa: ARG002  (there is nothing to renew)
        """Say that there is no other."""
        return False


class RenewedToken:
    """A token that is renewed before it ends, where its life is known, and whenever it is refused."""

    def __init__(self, obtain: Callable[[], Token], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._obtain = obtain
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at: float | None = None

    def get(self) -> Token:
        """Return a token with some life left, renewing it if need be."""
        with self._lock:
            if self._token is None or (self._renew_at is not None and self._clock() >= self._renew_at):
                return self._renewed()
            return self._token

    def renew(self, refused: Token) -> bool:
        """Renew, unless another thread did since ``refused`` was handed out."""
        with self._lock:
            if self._token is None or self._token == refused:
                self._renewed()
            return True

    def _renewed(self) -> Token:
        self._token = None
        token = self._obtain()
        life = token.life
        self._renew_at = None if life is None else self._clock() + life - min(MARGIN, life / 10)
        self._token = token
        return token


class RefreshGrant:
    """Exchanges a refresh token for a :class:`Token` (RFC 6749, section 6), and keeps a rotated one.

    The rotated one is kept in the destination's memory, bound to the configured one: a new installation,
    which changes the configuration, is not answered with a stale token.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: Secret,
        refresh_token: Secret,
        memory: Memory,
        exchange: Callable[[Mapping[str, str]], Mapping[str, Any]],
        read: Callable[[Mapping[str, Any]], Token],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._configured = refresh_token
        self._memory = memory
        self._exchange = exchange
        self._read = read
        self._sleep = sleep

    def __call__(self) -> Token:
        """Return a new token.

        :raises AuthFailure: if the refresh token is refused, and no other process has a newer one.
        """
        used = self._refresh_token()
        try:
            body = self._ask(used)
        except AuthFailure:
            if not self._rotated_elsewhere(used):
                raise
            body = self._ask(self._refresh_token())
        token, rotated = self._read(body), body.get("refresh_token")
        if isinstance(rotated, str) and rotated and rotated != self._refresh_token():
            self._memory.put(ROTATED, json.dumps({"of": self._fingerprint, "token": rotated}))
        return token

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


def read_token(body: Mapping[str, Any], *, life: float | None = None) -> Token:
    """Return the token of a token endpoint's answer (RFC 6749, section 5.1).

    :param life: seconds it lives where the answer has no ``expires_in``; None if that is not known.
    :raises TemporaryFailure: if the answer holds none.
    """
    value, seconds = body.get("access_token"), body.get("expires_in")
    if not isinstance(value, str) or not value:
        raise TemporaryFailure("the CRM's token answer holds no access_token")
    if isinstance(seconds, int | float) and seconds > 0:
        life = float(seconds)
    return Token(value=value, life=life)
