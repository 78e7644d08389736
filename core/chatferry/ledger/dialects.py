"""The two statements SQLAlchemy spells per dialect: insert or ignore, insert or update."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

UpsertInsert: TypeAlias = sqlite.Insert | postgresql.Insert
"""An insert that knows ``on_conflict_do_…``."""


def upsert(connection: Connection, table: Table) -> UpsertInsert:
    """Return an insert into ``table`` that can say what to do on a conflict."""
    return insert_of(connection.dialect.name, table)


def insert_or_ignore(connection: Connection, table: Table) -> UpsertInsert:
    """Return an insert into ``table`` that leaves rows alone that are there already."""
    return _ignoring(connection.dialect.name, table)


def insert_of(dialect: str, table: Table) -> UpsertInsert:
    """Return what :func:`upsert` does, for the name of a dialect."""
    make: Callable[[Table], UpsertInsert] = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(table)


@cache  # to build a statement takes longer than to execute it
def _ignoring(dialect: str, table: Table) -> UpsertInsert:
    return insert_of(dialect, table).on_conflict_do_nothing()
