"""``chatferry init``: a first configuration that loads."""

from __future__ import annotations

import os

import pytest

from chatferry.settings.load import load

pytestmark = pytest.mark.usefixtures("paper")


def written(folder):
    return (folder / "chatferry.toml").read_text()


def test_what_is_written_loads_and_passes_the_check(run, folder):
    assert run("init", "--connector", "paper").code == 0
    settings = load(folder / "chatferry.toml", os.environ)
    assert settings.destinations["paper"].settings == {"desk": 4, "lock": "env:PAPER_LOCK"}
    assert run("check", "--offline").code == 0


def test_it_tells_which_variables_to_set_and_what_to_do_next(run, monkeypatch):
    monkeypatch.delenv("IADVIZE_SECRET")
    monkeypatch.delenv("PAPER_LOCK")
    ran = run("init", "--connector", "paper")
    assert "export IADVIZE_SECRET=" in ran.out
    assert "export PAPER_LOCK=" in ran.out
    assert "IADVIZE_USER" not in ran.out  # it is set
    assert "chatferry.toml check" in ran.out


def test_settings_with_a_default_are_comments_and_explained(run, folder):
    run("init", "--connector", "paper")
    assert '# pen = "blue"  # its colour' in written(folder)
    assert "# also: mood; see the connector's page" in written(folder)
    assert '# Budget = "answers.Q1"' in written(folder)


def test_the_commented_mapping_is_valid_once_it_is_written_out(run, folder):
    run("init", "--connector", "paper")
    lines = written(folder).replace("# [destinations.", "[destinations.").splitlines()
    start = next(index for index, line in enumerate(lines) if line == "[destinations.paper.contact]")
    lines[start:] = [line.removeprefix("# ") for line in lines[start:]]
    (folder / "chatferry.toml").write_text("\n".join(lines))
    assert run("check", "--offline").code == 0


def test_your_client_is_written_where_you_say_which(run, folder):
    run("init", "--connector", "paper", "--client", "SD-9")
    client = load(folder / "chatferry.toml", os.environ).iadvize.clients[0]
    assert (client.platform, client.client_id) == ("sd", 9)


def test_a_client_that_is_none_is_refused(run):
    ran = run("init", "--connector", "paper", "--client", "335")
    assert ran.code == 2
    assert "such as ha/335" in ran.err


def test_what_is_there_is_not_overwritten(run, folder):
    (folder / "chatferry.toml").write_text("# mine")
    ran = run("init", "--connector", "paper")
    assert ran.code == 2
    assert "--force overwrites it" in ran.err
    assert written(folder) == "# mine"


def test_what_is_there_is_overwritten_by_force(run, folder):
    (folder / "chatferry.toml").write_text("# mine")
    assert run("init", "--connector", "paper", "--force").code == 0
    assert "[iadvize]" in written(folder)


def test_an_unknown_connector_names_the_nearest_and_writes_nothing(run, folder):
    ran = run("init", "--connector", "papyr")
    assert ran.code == 2
    assert 'did you mean "paper"?' in ran.err
    assert not (folder / "chatferry.toml").exists()
