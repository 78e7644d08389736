"""The URL of the ledger's database: supported databases, and where a relative path starts."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

_DRIVERS = {"sqlite": "sqlite", "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


def database_url(text: str) -> str:
    """Check a SQLAlchemy URL and return it with the driver chatferry uses.

    :raises ValueError: if it is none, or of another database; the message does not repeat it.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError('not a database URL; write one such as "sqlite:///chatferry.db"') from None
    driver = _DRIVERS.get(url.drivername, url.drivername)
    if driver not in _DRIVERS.values():
        raise ValueError('not a database the ledger works in; write "sqlite:///PATH" or "postgresql://…"')
    if driver == "sqlite" and (url.host or not url.database):
        raise ValueError('names no file; write "sqlite:///PATH", or "sqlite:////PATH" for an absolute path')
    if driver == "sqlite" and (url.database == ":memory:" or "memory" in url.query.values()):
        raise ValueError("a ledger in memory forgets what was acknowledged; name a file")
    return _shown(url.set(drivername=driver))


def absolute(text: str, directory: Path) -> str:
    """Return a database URL whose SQLite path, if relative, starts at ``directory``."""
    url = make_url(text)
    path = url.database or ""
    if url.drivername != "sqlite" or path.startswith("file:"):
        return text
    return _shown(url.set(database=str(directory / path)))


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)
