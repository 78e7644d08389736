"""Bring a database's schema up to date, once, whichever process comes first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, text

from chatferry.errors import LedgerMissing, LedgerUnavailable
from chatferry.ledger.database import Database
from chatferry.ledger.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001.4"
"""The newest migration; kept here so that a start need not load Alembic to find nothing to do."""

_VERSION: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table, as it makes it."""

_POSTGRESQL_LOCK = 0x63686174  # any number, as long as it is always the same


def upgrade(database: Database, *, create: bool = True) -> None:
    """Bring a database's tables up to date; an empty one gets them as they are now.

    :raises LedgerMissing: if it is empty, and is not to be created.
    :raises LedgerUnavailable: if it cannot be written, or is newer than this chatferry.
    """
    if database.path is not None:
        if not create and not database.path.exists():
            raise LedgerMissing(_missing(str(database.path)))
        _create_private(database.path)
    with database.read() as connection:
        known = revision(connection)
    if known == HEAD:
        return
    if known is None and not create:
        raise LedgerMissing(_missing(str(database.path or "in the database")))
    with _alone(database) as connection:
        known = revision(connection)
        if known is None:
            # Alembic holds 10 MB that a server started for the first time would keep for good.
            metadata.create_all(connection, checkfirst=False)
            _VERSION.create(connection)
            connection.execute(_VERSION.insert().values(version_num=HEAD))
    if known not in {None, HEAD}:
        migrate(database)


def _missing(where: str) -> str:
    return (
        f"there is no ledger {where}: chatferry serve and worker make one; or the setting database, or"
        " the folder you are in, is another one than the server's"
    )


def migrate(database: Database) -> None:
    """Run the migrations the database lacks, on an empty one all of them.

    :raises LedgerUnavailable: if it cannot be written, or is newer than this chatferry.
    """
    from alembic import command  # noqa: PLC0415  (10 MB that only a migration needs)
    from alembic.util.exc import CommandError  # noqa: PLC0415  (the same)

    with _alone(database) as connection:
        try:
            command.upgrade(configuration(connection), "head")
        except CommandError as error:
            message = (
                f"the ledger is at revision {revision(connection)}, unknown to this chatferry "
                f"(newest {HEAD}); use the chatferry that made it, or another ledger"
            )
            raise LedgerUnavailable(message) from error


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """Change a database while no other process changes its tables."""
    with database.write(durable=True) as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
        yield connection


def revision(connection: Connection) -> str | None:
    """Return the migration a database is at, or None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for a connection."""
    from alembic.config import Config  # noqa: PLC0415  (10 MB that only a migration needs)

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
