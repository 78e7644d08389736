"""The access tokens of commands that run beside a server.

iAdvize's rate limit for logins is per user: a command that did not count its logins together with
the server's could have the server locked out (iAdvize docs, "Managing iAdvize API access tokens").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatferry.cli.ledger_check import check_ledger
from chatferry.http.token_store import MemoryTokens, TokenStore
from chatferry.ledger.database import Database
from chatferry.ledger.leases import new_owner
from chatferry.ledger.tokens import LedgerTokens


@contextmanager
def shared_tokens(url: str) -> Iterator[TokenStore]:
    """Yield the ledger's tokens and login count; a store in memory where there is no ledger yet."""
    if not check_ledger(url).prepared:
        yield MemoryTokens()
        return
    database = Database(url)
    try:
        yield LedgerTokens(database, new_owner())
    finally:
        database.close()


class FreshTokens(MemoryTokens):
    """Tokens for one command, so that it has to log in; its logins count towards the shared rate limit."""

    def __init__(self, counted: TokenStore) -> None:
        super().__init__()
        self._counted = counted

    def login_allowed(self, user: str, now: float) -> float:
        """Return 0 and count a login, or the seconds to wait before one is allowed."""
        return self._counted.login_allowed(user, now)

    def login_unsent(self, user: str, now: float) -> None:
        """Take back a counted login whose request was never sent."""
        self._counted.login_unsent(user, now)

    def block_logins(self, user: str, until: float) -> None:
        """Allow ``user`` no login before ``until``."""
        self._counted.block_logins(user, until)
