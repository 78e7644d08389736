"""Logging in: the password grant, its rate limits, tokens that expire (iAdvize docs, "Authentication")."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chatferry.emulators.iadvize.people import Client

WINDOW = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """The rate limits of logins, times in seconds. How long iAdvize blocks a user is not documented."""

    token_lifetime: float = 86_400.0
    per_user: int = 10
    """A minute."""
    per_address: int = 100
    """A minute."""
    block: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAnswer:
    """The status and the JSON body of an answer of ``/oauth2/token``."""

    status: int
    body: Mapping[str, Any]


class TokenIssuer:
    """Issues and revokes tokens, and enforces the rate limits of logins."""

    def __init__(
        self, clients: Iterable[Client], logins: Logins, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.logins = logins
        self.given = 0
        """How many tokens were issued."""
        self.refused = 0
        """How many logins were refused, for whatever reason."""
        self._clients: dict[str, list[Client]] = {}
        for client in clients:
            self._clients.setdefault(client.username, []).append(client)
        self._clock = clock
        self._tokens: dict[str, tuple[float, tuple[Client, ...]]] = {}
        self._attempts: dict[str, deque[float]] = {}
        self._blocked: dict[str, float] = {}
        self._lock = threading.Lock()

    def login(self, form: Mapping[str, str], address: str) -> LoginAnswer:
        """Answer a request for a token that came from this IP address."""
        with self._lock:
            answer = self._login(form, address)
            if answer.status == 200:  # noqa: PLR2004  (OK)
                self.given += 1
            else:
                self.refused += 1
            return answer

    def _login(self, form: Mapping[str, str], address: str) -> LoginAnswer:
        username, password = form.get("username", ""), form.get("password", "")
        if self._too_often(f"address {address}", self.logins.per_address) | self._too_often(
            f"user {username}", self.logins.per_user
        ):
            return _refusal(429, "too_many_requests", "too many logins, try again later")
        if not username or not password or not form.get("grant_type"):
            return _refusal(400, "invalid_request", "username, password and grant_type are required")
        if form["grant_type"] != "password":
            return _refusal(400, "unsupported_grant_type", "only the password grant is supported")
        clients = tuple(client for client in self._clients.get(username, ()) if client.password == password)
        if not clients:
            return _refusal(400, "invalid_grant", "username or password is wrong")
        return LoginAnswer(status=200, body=self._issue(clients))

    def _issue(self, clients: tuple[Client, ...]) -> dict[str, Any]:
        token = secrets.token_hex(32)
        self._tokens[token] = (self._clock() + self.logins.token_lifetime, clients)
        return {
            "refresh_token": secrets.token_hex(32),
            "token_type": "bearer",
            "expires_in": int(self.logins.token_lifetime),
            "access_token": token,
        }

    def _too_often(self, who: str, limit: int) -> bool:
        now = self._clock()
        if self._blocked.get(who, 0.0) > now:
            return True
        attempts = self._attempts.setdefault(who, deque())
        while attempts and attempts[0] <= now - WINDOW:
            attempts.popleft()
        if len(attempts) >= limit:
            self._blocked[who] = now + self.logins.block
            return True
        attempts.append(now)
        return False

    def clients_of(self, authorization: str | None) -> tuple[Client, ...] | None:
        """Return what the bearer of this header may read, or None if the token is not valid."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        with self._lock:
            until, clients = self._tokens.get(token.strip(), (0.0, ()))
            return clients if clients and until > self._clock() else None

    def revoke(self) -> int:
        """Revoke every token; return how many were valid."""
        with self._lock:
            valid = sum(until > self._clock() for until, _ in self._tokens.values())
            self._tokens.clear()
            return valid


def _refusal(status: int, error: str, description: str) -> LoginAnswer:
    return LoginAnswer(status=status, body={"error_description": description, "error": error})
