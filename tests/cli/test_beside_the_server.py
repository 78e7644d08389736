"""Commands beside a server: they make no ledger, need no secrets, and say what an operator has to do."""

from __future__ import annotations

import sys
import time
from contextlib import closing

import pytest

from chatferry.ledger import Ledger
from chatferry.testing.trouble import Trouble

BESIDE = [
    ("status",),
    ("why", "c0ffee00-0000-4000-8000-000000000001"),
    ("deliveries",),
    ("retry", "--all-dead", "--yes"),
    ("discard", "--state", "dead", "--yes"),
    ("prune",),
    ("destinations",),
    ("destinations", "resume", "sheet"),
    ("destinations", "pause", "sheet", "--reason", "a migration"),
]


@pytest.fixture
def no_secrets(monkeypatch):
    for name in ("IADVIZE_SECRET", "IADVIZE_USER", "IADVIZE_PASSWORD", "PAPER_LOCK"):
        monkeypatch.delenv(name, raising=False)


def made(folder) -> None:
    """Make the ledger, as a server does."""
    Ledger.open(f"sqlite:///{folder}/chatferry.db").close()


@pytest.mark.parametrize("command", BESIDE, ids=" ".join)
def test_no_command_but_a_server_makes_a_ledger(run, configure, folder, command):
    configure()
    ended = run(*command)
    assert ended.code == 2, ended
    assert f"there is no ledger {folder}/chatferry.db: chatferry serve and worker make one" in ended.err
    assert not (folder / "chatferry.db").exists()


@pytest.mark.parametrize("command", BESIDE, ids=" ".join)
def test_commands_that_use_no_secret_need_none(run, configure, folder, command, no_secrets):  # noqa: ARG001
    configure()
    made(folder)
    ended = run(*command)
    assert "PAPER_LOCK" not in ended.err
    assert "IADVIZE" not in ended.err
    assert ended.code == (1 if command[0] == "why" else 0), ended


def test_a_secret_that_is_written_down_is_refused_all_the_same(run, configure, folder):
    configure(lock="my-own-secret")
    made(folder)
    assert "my-own-secret" not in str(run("status"))
    assert run("check", "--offline").code == 1


@pytest.mark.parametrize(("command", "code"), [("check", 1), ("serve", 2)])
def test_what_uses_secrets_needs_them(run, configure, command, code, no_secrets):  # noqa: ARG001
    configure()
    ended = run(command)
    assert ended.code == code
    assert "IADVIZE_SECRET" in ended.words + ended.err


@pytest.mark.parametrize("command", ["retry", "discard", "deliveries"])
def test_a_destination_there_never_was_is_an_error_with_the_names_there_are(shop, command):
    result = shop.run(command, "--destination", "sails", *(["--yes"] if command != "deliveries" else []))
    assert result.exit_code == 2
    assert 'there is no destination "sails"; there are: sales' in result.stderr


def test_destinations_are_listed(shop):
    assert shop.json("destinations") == [
        {"destination": "sales", "connector": "shelf", "enabled": True, "served": True, "paused": None}
    ]
    shop.run("destinations", "pause", "sales", "--reason", "a migration")
    assert shop.json("destinations")[0]["paused"] == "operator"
    assert "sales" in shop.run("destinations").stdout


def test_resuming_counts_what_is_due_however_it_waited(shop):
    shop.run("destinations", "pause", "sales", "--reason", "a migration")
    shop.find_history()
    shop.work()
    assert shop.json("destinations", "resume", "sales")["due_now"] == 6


def test_a_destination_that_takes_nothing_for_an_hour_needs_an_operator(shop):
    shop.crm.switch_on(Trouble.SERVER_ERROR, None, None)
    shop.find_history()
    shop.engine.sync()
    shop.engine.deliver("sales")
    assert shop.run("status").exit_code == 0
    with shop.ledger.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET failing_since = {time.time() - 4000}")
    result = shop.run("status")
    assert result.exit_code == 1
    assert "sales: no lead was delivered for 1 h" in result.stdout


def test_a_ledger_that_cannot_be_written_needs_an_operator(shop):
    shop.find_history()
    with shop.ledger.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE ON alembic_version BEGIN"
            " SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    result = shop.run("status")
    assert result.exit_code == 1
    assert "webhooks are answered with 503" in result.stdout


def test_one_of_a_thing_is_said_as_one(shop, history):
    shop.hear(history.ids[0])
    assert "1 event, 1 conversation;" in shop.run("status").stdout


def test_postgresql_without_its_driver_says_what_to_install(run, configure, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    path = configure()
    path.write_text('database = "postgresql://somebody@127.0.0.1:1/x"\n' + path.read_text())
    ended = run("status")
    assert ended.code == 2
    assert 'install "chatferry[postgresql]"' in ended.err


def test_a_damaged_ledger_says_so_and_what_to_do(run, configure, folder):
    configure()
    made(folder)
    path = folder / "chatferry.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    ended = run("status")
    assert ended.code == 3
    assert "restore a backup" in ended.err


def test_a_ledger_of_a_newer_chatferry_says_so(run, configure, folder):
    configure()
    made(folder)
    with (
        closing(Ledger(f"sqlite:///{folder}/chatferry.db")) as ledger,
        ledger.database.write() as connection,
    ):
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    ended = run("status")
    assert ended.code == 3
    assert "use the chatferry that made it" in ended.err


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ('platform = "ha"', 'platform = "xx"', 'not a platform; iAdvize has "ha" and "sd"'),
        ('api_url = "http://127', 'api_url = "http://api.example.com/127', "https:// is required"),
    ],
)
def test_what_no_iadvize_can_be_is_found_without_asking_it(run, configure, wrong, right, said):
    path = configure()
    path.write_text(path.read_text().replace(wrong, right))
    ended = run("check", "--offline")
    assert ended.code == 1
    assert said in ended.words
