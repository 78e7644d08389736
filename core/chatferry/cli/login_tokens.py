"""The access keys of commands that run beside a server.

iAdvize limits logins by user, whoever logs in: a command that did not count its own among the
server's could have the server locked out (iAdvize docs, "Managing iAdvize API access tokens").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatferry.cli.ledger_check import look_at_ledger
from chatferry.http.token_store import MemoryTokens, TokenStore
from chatferry.ledger.database import Database
from chatferry.ledger.leases import new_owner
from chatferry.ledger.tokens import LedgerTokens


@contextmanager
def shared_tokens(url: str) -> Iterator[TokenStore]:
    """Yield the ledger's keys and its count of logins; a memory where there is no ledger yet."""
    if not look_at_ledger(url).prepared:
        yield MemoryTokens()
        return
    database = Database(url)
    try:
        yield LedgerTokens(database, new_owner())
    finally:
        database.close()


class FreshTokens(MemoryTokens):
    """Keys of one command alone, for it shall see whether a login works; it counts among all logins."""

    def __init__(self, counted: TokenStore) -> None:
        super().__init__()
        self._counted = counted

    def login_allowed(self, user: str, now: float) -> float:
        """Return 0 and count a login, or the seconds to wait before one is allowed."""
        return self._counted.login_allowed(user, now)

    def login_unsent(self, user: str, now: float) -> None:
        """Count a login no more."""
        self._counted.login_unsent(user, now)

    def block_logins(self, user: str, until: float) -> None:
        """Allow ``user`` no login before ``until``."""
        self._counted.block_logins(user, until)
