"""Authentication and scopes: static tokens and OAuth (HubSpot docs, 'OAuth', 'Scopes')."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import count

from chatferry.emulators.clock import Clock, timestamp
from chatferry_hubspot.emulator.errors import ApiError, missing_scopes
from chatferry_hubspot.emulator.settings import SCOPES, AccountSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access or refresh token."""

    value: str
    scopes: tuple[str, ...]
    oauth: bool = False
    expires: float | None = None
    """When it ends, in seconds since the epoch; static tokens do not."""


def unauthorized() -> ApiError:
    """Return the 401 of a call without a known token."""
    message = (
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can "
        "find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
    )
    return ApiError(401, "INVALID_AUTHENTICATION", message)


def refused_grant(status: str, message: str) -> ApiError:
    """Return the 400 of the token endpoint, in its own shape."""
    return ApiError(400, None, message, status=status, error="invalid_grant", error_description=message)


class Keys:
    """The tokens of an account."""

    def __init__(self, settings: AccountSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._numbers = count(1)
        self.access = {value: Key(value=value, scopes=scopes) for value, scopes in settings.tokens.items()}
        first = settings.refresh_token
        self.refresh = {first: Key(value=first, scopes=SCOPES, oauth=True)}
        self._codes: dict[str, tuple[tuple[str, ...], str]] = {}

    def add(self, value: str, scopes: tuple[str, ...], life: float | None = None) -> Key:
        """Add an access token that is valid for ``life`` seconds or without end."""
        expires = None if life is None else self._clock.now() + life
        self.access[value] = Key(value=value, scopes=scopes, expires=expires)
        return self.access[value]

    def revoke(self, value: str) -> None:
        """Revoke an access or a refresh token."""
        self.access.pop(value, None)
        self.refresh.pop(value, None)

    def identify(self, header: str) -> Key:
        """Return the key of an ``Authorization`` header.

        :raises ApiError: 401 if there is none, or it has expired.
        """
        scheme, _, value = header.partition(" ")
        key = self.access.get(value.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise unauthorized()
        if key.expires is not None and key.expires <= self._clock.now():
            raise ApiError(
                401,
                "EXPIRED_AUTHENTICATION",
                "The OAuth token used to make this call has expired.",
                context={"expire time": [timestamp(key.expires)]},
            )
        return key

    def scopes(self, key: Key) -> frozenset[str]:
        """Return what a key may do; scopes that the plan does not include are ignored."""
        custom = self.settings.custom_objects
        return frozenset(scope for scope in key.scopes if custom or ".custom." not in scope)

    def require(self, key: Key, *any_of: str) -> None:
        """Check that a key has one of these scopes.

        :raises ApiError: 403 naming them.
        """
        if self.scopes(key).isdisjoint(any_of):
            raise missing_scopes(any_of)

    def authorize(self, scopes: tuple[str, ...], redirect_uri: str) -> str:
        """Return a code, as if a user had clicked *allow*."""
        code = self._make("code")
        self._codes[code] = (scopes, redirect_uri)
        return code

    def exchange(self, code: str, redirect_uri: str) -> tuple[Key, Key]:
        """Return the tokens of a code; it works once."""
        scopes, expected = self._codes.pop(code, ((), ""))
        if not scopes or expected != redirect_uri:
            raise refused_grant("BAD_AUTH_CODE", "missing or unknown auth code")
        refresh = Key(value=self._make("refresh"), scopes=scopes, oauth=True)
        self.refresh[refresh.value] = refresh
        return self._issue(refresh), refresh

    def renew(self, refresh_token: str) -> tuple[Key, Key]:
        """Return a new access token and the refresh token that is valid from now on."""
        refresh = self.refresh.get(refresh_token)
        if refresh is None:
            raise refused_grant("BAD_REFRESH_TOKEN", "missing or unknown refresh token")
        if self.settings.rotate:
            del self.refresh[refresh.value]
            refresh = Key(value=self._make("refresh"), scopes=refresh.scopes, oauth=True)
            self.refresh[refresh.value] = refresh
        return self._issue(refresh), refresh

    def _issue(self, refresh: Key) -> Key:
        expires = self._clock.now() + self.settings.token_life
        access = Key(value=self._make("access"), scopes=refresh.scopes, oauth=True, expires=expires)
        self.access[access.value] = access
        return access

    def _make(self, kind: str) -> str:
        number = next(self._numbers)
        digest = hashlib.sha256(f"{self.settings.seed} {kind} {number}".encode()).hexdigest()
        return f"{kind}-{digest[:32]}"
