"""The store of access keys, which processes share and which survives restarts."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from chatferry.settings.secrets import Secret

LOGINS_A_MINUTE = 10
"""Per user (iAdvize docs, "Managing iAdvize API access tokens")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access key and the time (seconds since the epoch) from which it is to be renewed."""

    value: Secret
    renew_at: float


class TokenStore(Protocol):
    """Stores access keys by client (``key``) and counts logins by user (``user``), for all processes.

    Both names are digests: they may be stored and logged.
    """

    def get(self, key: str) -> AccessToken | None:
        """Return what was put under ``key``, or None."""

    def put(self, key: str, token: AccessToken) -> None:
        """Keep ``token`` under ``key``."""

    def forget(self, key: str, token: AccessToken) -> None:
        """Drop ``token``, which was refused, unless another one has taken its place."""

    def login_allowed(self, user: str, now: float) -> float:
        """Return 0 and count a login, or the seconds to wait before one is allowed.

        All processes together log in at most :data:`LOGINS_A_MINUTE` times in 60 seconds.
        """

    def login_unsent(self, user: str, now: float) -> None:
        """Undo the login that was counted at ``now``: the request was never sent."""

    def block_logins(self, user: str, until: float) -> None:
        """Allow ``user`` no login before ``until``, which iAdvize asked for (Retry-After)."""

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Return a lock on ``key`` between all threads and processes."""


class MemoryTokens:
    """A :class:`TokenStore` of one process, for ``chatferry check``, tools and tests."""

    def __init__(self) -> None:
        self._tokens: dict[str, AccessToken] = {}
        self._logins: dict[str, deque[float]] = {}
        self._blocked: dict[str, float] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> AccessToken | None:
        """Return what was put under ``key``, or None."""
        return self._tokens.get(key)

    def put(self, key: str, token: AccessToken) -> None:
        """Keep ``token`` under ``key``."""
        self._tokens[key] = token

    def forget(self, key: str, token: AccessToken) -> None:
        """Drop ``token`` unless another one has taken its place."""
        with self._guard:
            if self._tokens.get(key) == token:
                del self._tokens[key]

    def login_allowed(self, user: str, now: float) -> float:
        """Return 0 and count a login, or the seconds to wait before one is allowed."""
        with self._guard:
            logins = self._logins.setdefault(user, deque(maxlen=LOGINS_A_MINUTE))
            wait = self._blocked.get(user, 0.0) - now
            if len(logins) == LOGINS_A_MINUTE:
                wait = max(wait, logins[0] + 60.0 - now)
            if wait > 0:
                return wait
            logins.append(now)
            return 0.0

    def login_unsent(self, user: str, now: float) -> None:
        """Undo the login that was counted at ``now``."""
        with self._guard, suppress(ValueError):  # it may be older than a minute
            self._logins[user].remove(now)

    def block_logins(self, user: str, until: float) -> None:
        """Allow ``user`` no login before ``until``."""
        with self._guard:
            self._blocked[user] = max(until, self._blocked.get(user, 0.0))

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Lock ``key`` between all threads."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield
