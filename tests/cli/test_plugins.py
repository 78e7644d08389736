"""``chatferry plugins``: what is installed, what is broken and why."""

from __future__ import annotations

import pytest

BROKEN = "import no_such_module_anywhere"


@pytest.mark.usefixtures("paper")
def test_plugins_are_listed_without_a_configuration(run):
    ran = run("plugins")
    assert ran.code == 0
    assert "paper" in ran.out
    assert "chatferry_paper_for_tests 1.2" in ran.out
    assert "register_connectors" in ran.out


def test_a_broken_plugin_is_named_with_its_reason(run, install):
    install("cracked", BROKEN)
    ran = run("plugins")
    assert ran.code == 0
    assert "no_such_module_anywhere" in ran.out


def test_a_broken_plugin_is_an_error_only_for_the_strict(run, install):
    install("cracked", BROKEN)
    assert run("plugins", "--strict").code == 1


@pytest.mark.usefixtures("paper")
def test_a_working_plugin_is_no_error_for_the_strict(run):
    assert run("plugins", "--strict").code == 0


def test_programs_get_json(run, install):
    install("cracked", BROKEN)
    found = {one["name"]: one for one in run("plugins", "--output", "json").json}
    assert found["chatferry"]["state"] == "ok"
    assert found["cracked"]["state"] == "broken"


def test_a_plugin_the_configuration_disables_is_not_loaded(run, install, folder):
    # The rest of the configuration may be wrong or missing: this is the command to find out why.
    (folder / "chatferry.toml").write_text('[plugins]\ndisabled = ["cracked"]\n')
    install("cracked", BROKEN)
    ran = run("plugins", "--strict", "--output", "json")
    assert ran.code == 0
    assert {one["name"]: one["state"] for one in ran.json}["cracked"] == "disabled"


def test_the_environment_may_disable_a_plugin_too(run, install, monkeypatch):
    monkeypatch.setenv("CHATFERRY_PLUGINS__DISABLED", "cracked")
    install("cracked", BROKEN)
    assert run("plugins", "--strict").code == 0
