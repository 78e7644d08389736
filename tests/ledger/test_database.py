from __future__ import annotations

import subprocess
import sys

import pytest
from private_values import DATABASE_PASSWORD
from sqlalchemy import event, func, select

from chatferry.errors import LedgerUnavailable, SettingsError
from chatferry.ledger import Ledger
from chatferry.ledger.database import Database
from chatferry.ledger.tables import conversations


def test_a_read_only_database_is_named_as_such(tmp_path):
    """The mode of the connection, not the file's: root may write anywhere."""
    Ledger.open(f"sqlite:///{tmp_path}/ledger.db").close()
    ledger = Ledger(f"sqlite:///file:{tmp_path}/ledger.db?mode=ro&uri=true")
    try:
        with pytest.raises(LedgerUnavailable, match="read-only"):
            ledger.ping()
    finally:
        ledger.close()


def test_a_file_that_is_no_database_is_named_as_such(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"this is a letter to a friend" * 100)
    with pytest.raises(LedgerUnavailable, match="not an SQLite database"):
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db")


def test_a_folder_that_is_not_there_is_named_as_such(tmp_path):
    with pytest.raises(LedgerUnavailable, match="cannot be created"):
        Ledger.open(f"sqlite:///{tmp_path}/nowhere/ledger.db")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ferryman:{DATABASE_PASSWORD}@127.0.0.1:9/chatferry",
        f"postgresql://127.0.0.1:9/chatferry?user=ferryman&password={DATABASE_PASSWORD}",
    ],
)
def test_a_server_that_is_away_is_unavailable_and_its_password_is_not_shown(url):
    ledger = Ledger(url)
    try:
        for _ in range(2):
            with pytest.raises(LedgerUnavailable, match=r"127\.0\.0\.1:9/chatferry") as caught:
                ledger.ping()
            assert DATABASE_PASSWORD not in str(caught.value)
            assert "ferryman" not in str(caught.value)
    finally:
        ledger.close()


@pytest.mark.parametrize("url", ["", "chatferry.db", "mysql://host/name", "oracle:whatever"])
def test_what_is_no_supported_database_is_refused(url):
    with pytest.raises(SettingsError, match="database: not a URL"):
        Database(url)


def test_asking_often_whether_the_ledger_can_be_written_writes_seldom(ledger):
    begun = []
    event.listen(ledger.database.engine, "begin", begun.append)
    for _ in range(50):
        ledger.ping()
    assert len(begun) < 50


def test_a_write_that_fails_changes_nothing(ledger):
    with pytest.raises(ZeroDivisionError), ledger.database.write() as connection:  # noqa: PT012  (the block is the transaction)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'x'")
        raise ZeroDivisionError
    with ledger.database.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() != "x"


def test_several_processes_may_open_an_empty_ledger_at_once(ledger_url):
    code = f"from chatferry.ledger import Ledger; Ledger.open({ledger_url!r}).close()"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    try:
        assert [process.wait(60) for process in running] == [0, 0, 0]
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_what_is_read_is_one_state_whatever_is_written_meanwhile(fill):
    database = fill.ledger.database
    count = select(func.count()).select_from(conversations)
    with database.read(one_state=True) as connection:
        before = connection.execute(count).scalar()
        fill.mark("c1")
        assert connection.execute(count).scalar() == before
    with database.read() as connection:
        assert connection.execute(count).scalar() == before + 1
