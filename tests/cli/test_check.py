"""``chatferry check``: everything is checked, nothing is changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from chatferry.emulators import Server
from chatferry.emulators.iadvize import create_app
from chatferry.http.token_store import LOGINS_A_MINUTE
from chatferry.ledger import Ledger


def found(ran, part):
    """The levels and messages of a part, by subject."""
    return {one["subject"]: (one["level"], one["message"]) for one in ran.json if one["part"] == part}


def database(folder):
    return f"sqlite:///{folder}/chatferry.db"


def content(folder):
    """All a ledger holds but the count of logins."""
    with closing(sqlite3.connect(folder / "chatferry.db")) as connection:
        return [line for line in connection.iterdump() if '"logins"' not in line]


def test_all_is_well(run, configure):
    configure()
    ran = run("check", "--output", "json")
    assert ran.code == 0
    assert found(ran, "iadvize") == {"iadvize ha-335": ("ok", "the login works")}
    assert found(ran, "destination sheet") == {
        "mapping": ("ok", "3 fields can be filled"),
        "desk": ("ok", "is tidy"),
    }


def test_people_get_a_table_and_a_summary(run, configure):
    configure()
    ran = run("check")
    assert "is tidy" in ran.out
    assert ran.out.splitlines()[-1].endswith(" ok")


def test_nothing_is_written(run, configure, folder):
    configure()
    before = sorted(folder.iterdir())
    ran = run("check", "--output", "json")
    assert sorted(folder.iterdir()) == before
    assert "does not exist yet" in found(ran, "ledger")[""][1]


def test_a_ledger_that_is_there_is_opened_and_not_changed(run, configure, folder):
    configure()
    Ledger.open(database(folder)).close()
    before = content(folder)
    ran = run("check", "--output", "json")
    assert found(ran, "ledger")[""] == (
        "ok",
        "can be read and written, its tables are up to date (revision 0001.4)",
    )
    assert content(folder) == before


def test_a_login_counts_among_those_of_the_server(run, configure, folder):
    configure()
    Ledger.open(database(folder)).close()
    for _ in range(LOGINS_A_MINUTE):
        assert run("check").code == 0
    ran = run("check", "--output", "json")
    assert found(ran, "iadvize")["iadvize ha-335"] == ("error", "too many logins to iAdvize in a minute")


@pytest.mark.parametrize(
    ("version", "level", "said"),
    [("0000", "warning", "the next start brings them up to date"), ("9999", "error", "a newer chatferry")],
)
def test_a_ledger_of_another_version_is_reported(run, configure, folder, version, level, said):
    configure()
    Ledger.open(database(folder)).close()
    with sqlite3.connect(folder / "chatferry.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    connection.close()
    found_level, message = found(run("check", "--output", "json"), "ledger")[""]
    assert (found_level, said in message) == (level, True)


def test_a_file_that_is_no_database_is_reported_and_left_alone(run, configure, folder):
    configure()
    (folder / "chatferry.db").write_text("a letter to my aunt")
    ran = run("check", "--output", "json")
    assert ran.code == 1
    assert "is not an SQLite database" in found(ran, "ledger")[""][1]
    assert (folder / "chatferry.db").read_text() == "a letter to my aunt"


def test_every_problem_of_the_configuration_is_a_line(run, configure, monkeypatch):
    configure()
    monkeypatch.delenv("IADVIZE_SECRET")
    monkeypatch.delenv("IADVIZE_USER")
    ran = run("check", "--output", "json")
    assert ran.code == 1
    lines = [one["message"] for one in ran.json if one["part"] == "configuration"]
    assert len(lines) == 2
    assert "IADVIZE_SECRET is not set" in lines[0]


def test_a_destinations_settings_and_expressions_are_looked_at(run, configure):
    configure(fields='[destinations.sheet.contact]\nMail = "visitor.emial"')
    ran = run("check", "--output", "json")
    assert ran.code == 1
    assert 'did you mean "email"?' in found(ran, "destination sheet")["configuration"][1]


@pytest.mark.parametrize(
    ("pen", "said"),
    [("broken", "check failed with RuntimeError"), ("stuck", "did not return within 0.3 s")],
)
def test_a_connector_that_fails_or_hangs_is_a_finding(run, configure, pen, said):
    configure(pen=pen)
    ran = run("check", "--output", "json")
    assert ran.code == 1
    assert said in found(ran, "destination sheet")["sheet"][1]
    assert "a person's name" not in ran.out + ran.err


def test_what_a_connector_must_remember_is_kept(run, configure, folder):
    configure(pen="rotating")
    assert run("check").code == 0
    ledger = Ledger.open(database(folder))
    assert ledger.memory("sheet").get("token") == "new"
    ledger.close()


def test_what_a_connector_must_remember_is_kept_in_a_ledger_that_is_there(run, configure, folder):
    configure(pen="rotating")
    ledger = Ledger.open(database(folder))
    assert run("check").code == 0
    assert ledger.memory("sheet").get("token") == "new"
    ledger.close()


def test_offline_no_remote_system_is_asked(run, configure, world):
    configure(pen="broken")
    before = world.tokens.given
    assert run("check", "--offline").code == 0
    assert world.tokens.given == before


def test_a_refused_login_is_an_error(run, configure, monkeypatch):
    configure()
    monkeypatch.setenv("IADVIZE_PASSWORD", "guessed")
    ran = run("check", "--output", "json")
    assert ran.code == 1
    assert found(ran, "iadvize")["iadvize ha-335"][0] == "error"
    assert "guessed" not in ran.out + ran.err


def test_a_field_that_iadvize_has_dropped_is_a_warning(run, configure, world):
    path = configure()
    with Server(create_app(world, without=["Conversation.tags"])) as poorer:
        lines = path.read_text().splitlines()
        path.write_text("\n".join(f'api_url = "{poorer.url}"' if "api_url" in x else x for x in lines))
        ran = run("check", "--output", "json")
        assert ran.code == 0
        assert any(one["level"] == "warning" and "Conversation.tags" in one["message"] for one in ran.json)
        assert run("check", "--strict").code == 1


def test_a_broken_plugin_is_an_error(run, configure, install):
    configure()
    install("cracked", "import no_such_module_anywhere")
    ran = run("check", "--offline", "--output", "json")
    assert ran.code == 1
    assert "no_such_module_anywhere" in found(ran, "plugins")["cracked"][1]
