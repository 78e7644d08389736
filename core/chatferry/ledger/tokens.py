"""iAdvize's access keys and the count of logins, shared by every process: a ``TokenStore``."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, func, insert, select

from chatferry.http.token_store import LOGINS_A_MINUTE, AccessToken
from chatferry.ledger.database import Database
from chatferry.ledger.dialects import upsert
from chatferry.ledger.leases import Leases
from chatferry.ledger.tables import locks, logins, tokens
from chatferry.settings.secrets import Secret

_MINUTE = 60.0
_LOCK_SECONDS = 10.0
"""How long a process that is killed while it logs in keeps the others from it.

A login that takes longer may be made twice, which costs one of those that are allowed in a minute.
"""
_POLL_SECONDS = 0.05


class LedgerTokens:
    """The tokens in the ledger. ``owner`` names this process among those that log in."""

    def __init__(self, database: Database, owner: str) -> None:
        self._database = database
        self._owner = owner
        self._leases = Leases(database)
        # A lease tells processes apart, not threads.
        self._threads = threading.Lock()

    def get(self, key: str) -> AccessToken | None:
        """Return what was put under ``key``, or None."""
        query = select(tokens.c.token, tokens.c.renew_at).where(tokens.c.name == key)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else AccessToken(value=Secret(row.token), renew_at=row.renew_at)

    def put(self, key: str, token: AccessToken) -> None:
        """Keep ``token`` under ``key``."""
        values = {"token": token.value.reveal(), "renew_at": token.renew_at}
        with self._database.write(durable=True) as connection:
            statement = upsert(connection, tokens).values(name=key, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def forget(self, key: str, token: AccessToken) -> None:
        """Drop ``token``, which was refused, unless another one has taken its place."""
        with self._database.write() as connection:
            connection.execute(
                delete(tokens).where(tokens.c.name == key, tokens.c.token == token.value.reveal())
            )

    def login_allowed(self, user: str, now: float) -> float:
        """Return 0 and count a login, or the seconds to wait before one is allowed."""
        recent = select(func.count(), func.min(logins.c.at)).where(
            logins.c.name == user, logins.c.at > now - _MINUTE
        )
        blocked = select(locks.c.leased_until).where(locks.c.name == _block(user))
        with self._database.write() as connection:
            count, oldest = connection.execute(recent).one()
            wait = (connection.execute(blocked).scalar() or now) - now
            if count >= LOGINS_A_MINUTE:
                wait = max(wait, oldest + _MINUTE - now)
            if wait > 0:
                return wait
            connection.execute(delete(logins).where(logins.c.at <= now - _MINUTE))
            connection.execute(insert(logins).values(name=user, at=now))
        return 0.0

    def login_unsent(self, user: str, now: float) -> None:
        """Count the login no more that was allowed at ``now``: the request never reached iAdvize."""
        one = select(func.min(logins.c.id)).where(logins.c.name == user, logins.c.at == now)
        with self._database.write() as connection:
            connection.execute(delete(logins).where(logins.c.id == one.scalar_subquery()))

    def block_logins(self, user: str, until: float) -> None:
        """Allow ``user`` no login before ``until``: iAdvize said so."""
        values = {"leased_by": "iAdvize", "leased_until": until}
        with self._database.write() as connection:
            statement = upsert(connection, locks).values(name=_block(user), **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the lock on ``key`` between all threads and processes; a dead process loses it."""
        name = f"login {key}"
        with self._threads:
            while not self._leases.take(name, self._owner, (now := time.time()), now + _LOCK_SECONDS):
                time.sleep(_POLL_SECONDS)
            try:
                yield
            finally:
                self._leases.give_back(name, self._owner)


def _block(user: str) -> str:
    return f"no login {user}"
