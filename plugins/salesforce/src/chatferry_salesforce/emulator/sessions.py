"""Sessions and the three ways to one: client credentials, an assertion, a refresh token. No password."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from chatferry.emulators.clock import Clock
from chatferry_salesforce.emulator.errors import TokenError, expired
from chatferry_salesforce.emulator.settings import OrgSettings

JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES: Final = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_ASSERTION: Final = 180.0
"""Seconds that an assertion's end may be ahead."""


class Sessions:
    """The sessions of an org: they end some time after their last call."""

    def __init__(self, settings: OrgSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._numbers = count(1)
        self._ends: dict[str, float] = {}
        self._refresh = {settings.refresh_token}

    def open(self) -> str:
        """Return the id of a new session."""
        session = f"00DE0!AQ{self._secret('session')}"
        self._ends[session] = self._clock.now() + self.settings.session_life
        return session

    def use(self, header: str) -> None:
        """Let a session live on for as long as it would anew.

        :raises ApiError: 401 if the header names none.
        """
        scheme, _, session = header.partition(" ")
        ends = self._ends.get(session.strip(), 0.0)
        if scheme not in {"Bearer", "OAuth"} or ends <= self._clock.now():
            raise expired()
        self._ends[session.strip()] = self._clock.now() + self.settings.session_life

    def end_all(self) -> None:
        """End every session, as an administrator may."""
        self._ends.clear()

    def grant(self, form: Mapping[str, str], *, address: str) -> dict[str, Any]:
        """Return the answer to a request for a token.

        :param address: where the token endpoint was called.
        :raises TokenError: if it is refused.
        """
        match form.get("grant_type"):
            case "client_credentials":
                self._check_client(form)
                return self._answer()
            case "refresh_token":
                self._check_client(form)
                return {**self._answer(), **self._rotated(form.get("refresh_token", ""))}
            case kind if kind == JWT_GRANT:
                self._check_assertion(form.get("assertion", ""), address)
                return self._answer()
            case "password":
                raise TokenError("invalid_grant", "authentication failure")
        raise TokenError("unsupported_grant_type", "grant type not supported")

    def _answer(self) -> dict[str, Any]:
        return {
            "access_token": self.open(),
            "scope": "api",
            "token_type": "Bearer",
            "issued_at": str(int(self._clock.now() * 1000)),
            "signature": self._secret("signature"),
        }

    def _check_client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self.settings.client_id:
            raise TokenError("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self.settings.client_secret:
            raise TokenError("invalid_client", "invalid client credentials")

    def _rotated(self, given: str) -> dict[str, str]:
        if given not in self._refresh:
            raise TokenError("invalid_grant", "expired access/refresh token")
        if not self.settings.rotate:
            return {}
        self._refresh = {f"refresh-{self._secret('refresh')}"}
        return {"refresh_token": next(iter(self._refresh))}

    def _check_assertion(self, assertion: str, address: str) -> None:
        try:
            import jwt  # noqa: PLC0415  (an extra: only this flow needs it)
        except ImportError:
            raise TokenError("invalid_grant", "this emulator needs PyJWT[crypto] for assertions") from None
        try:
            claims = jwt.decode(
                assertion,
                self.settings.certificate,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "require": ["iss", "sub", "aud", "exp"]},
            )
        except (jwt.PyJWTError, ValueError):
            raise TokenError("invalid_grant", "invalid assertion") from None
        if claims["iss"] != self.settings.client_id:
            raise TokenError("invalid_client_id", "client identifier invalid")
        if claims["aud"] not in {*AUDIENCES, address}:
            raise TokenError("invalid_grant", "audience is invalid")
        if not 0 < float(claims["exp"]) - self._clock.now() <= LONGEST_ASSERTION:
            raise TokenError("invalid_grant", "expired authorization code")
        if claims["sub"] != self.settings.username:
            raise TokenError("invalid_grant", "user hasn't approved this consumer")

    def _secret(self, kind: str) -> str:
        number = next(self._numbers)
        return hashlib.sha256(f"{self.settings.seed} {kind} {number}".encode()).hexdigest()[:32]
