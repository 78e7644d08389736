"""Bring a database's schema up to date, once, whoever comes first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from chatferry.errors import LedgerUnavailable
from chatferry.ledger.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
"""The newest migration; kept here so that a start need not load Alembic to find nothing to do."""

_POSTGRESQL_LOCK = 0x63686174  # any number, as long as it is always the same


def upgrade(database: Database) -> None:
    """Run the migrations the database lacks.

    :raises LedgerUnavailable: if it cannot be written, or is newer than this chatferry.
    """
    if database.path is not None:
        _create_private(database.path)
    with database.read() as connection:
        if revision(connection) == HEAD:
            return
    from alembic import command  # noqa: PLC0415  (8 MB that only a migration needs)
    from alembic.util.exc import CommandError  # noqa: PLC0415  (the same)

    with database.write(durable=True) as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
        if revision(connection) == HEAD:
            return
        try:
            command.upgrade(configuration(connection), "head")
        except CommandError as error:
            message = (
                f"the ledger is at revision {revision(connection)}, unknown to this chatferry (newest {HEAD})"
            )
            raise LedgerUnavailable(message) from error


def revision(connection: Connection) -> str | None:
    """Return the migration a database is at, or None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for a connection."""
    from alembic.config import Config  # noqa: PLC0415  (8 MB that only a migration needs)

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def _create_private(path: Path) -> None:
    """Make the file readable to its owner only, before anything is in it."""
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        message = f"the ledger {path} cannot be created: {error.strerror}"
        raise LedgerUnavailable(message) from None
