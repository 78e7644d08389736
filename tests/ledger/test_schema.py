"""The tables are those the migrations make, and nothing asked all the time goes through a table."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, text

from chatferry.errors import LedgerUnavailable
from chatferry.iadvize.facts import retained_facts
from chatferry.ledger import Ledger
from chatferry.ledger.schema import HEAD, migrate, revision, upgrade
from chatferry.ledger.tables import metadata

NOW = 1_700_000_000.0


def differences(ledger):
    with ledger.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata)


def test_the_migrations_make_the_tables_the_code_knows(ledger):
    assert differences(ledger) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_new_ledger_is_like_one_that_was_migrated(kind, request, tmp_path):
    """It is made without Alembic, which must take it for its own."""
    url = (
        request.getfixturevalue("postgresql_url") if kind == "postgresql" else f"sqlite:///{tmp_path}/new.db"
    )
    new = Ledger.open(url)
    assert differences(new) == []
    with new.database.read() as connection:
        assert revision(connection) == HEAD
    migrate(new.database)  # nothing is left to do
    new.close()


def test_a_ledger_of_a_newer_chatferry_is_refused(ledger):
    with ledger.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerUnavailable, match="revision 9999, unknown to this chatferry"):
        upgrade(ledger.database)


def indexes(connection):
    """Return SQLite's own words for each index: Alembic does not compare what is left out of one."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql != ''"))
    return {row.name: " ".join(row.sql.split()) for row in rows}


def test_the_migrations_make_the_indexes_the_code_knows(prepared_sqlite, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    metadata.create_all(engine)
    migrated = Ledger(f"sqlite:///{prepared_sqlite}")
    with engine.connect() as made, migrated.database.read() as connection:
        assert indexes(connection) == indexes(made)
    engine.dispose()
    migrated.close()


@pytest.fixture
def plans(fill):
    """How SQLite goes about what is asked in a block: ``SEARCH`` looks up, ``SCAN`` goes through."""
    engine = fill.ledger.database.engine

    @contextmanager
    def watch():
        asked, steps = [], []

        def note(_connection, _cursor, statement, parameters, _context, _many):
            if statement.startswith("SELECT"):
                asked.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", note)
        yield steps
        event.remove(engine, "before_cursor_execute", note)
        assert asked
        with fill.ledger.database.read() as connection:
            for statement, parameters in asked:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                slow = ("SCAN",) if "FROM events" in statement else ("SCAN", "USE TEMP")
                steps += [row.detail for row in rows if row.detail.startswith(slow)]

    return watch


# PostgreSQL plans by what it counted, not by rule: there is nothing to hold it to.
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@on_sqlite
def test_an_idle_poll_goes_through_nothing(fill, plans):
    fill.put()
    with plans() as steps:
        fill.ledger.conversations.lease("me", NOW, NOW + 60, 50)
        fill.ledger.deliveries.lease("sales", "me", NOW, NOW + 60, limit=9, linger=0)
        fill.mark("c2")
        fill.ledger.conversations.lease("me", NOW, NOW + 60, 50)
        fill.ledger.deliveries.prune(NOW)
    assert steps == []


@on_sqlite
def test_what_is_asked_now_and_then_goes_through_what_is_due_at_most(fill, plans):
    with plans() as steps:
        fill.ledger.reconciliations.on_their_way(NOW - 60, NOW)
        fill.ledger.events.prune(NOW, retained_facts)
    assert [step for step in steps if not step.endswith("_due")] == []
