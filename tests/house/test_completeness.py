"""A hook, a setting or a command that no test names, or no page, fails the build."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatferry import hookspecs
from chatferry.cli.app import COMMANDS
from chatferry.settings.keys import keys

ROOT = Path(__file__).parents[2]
HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, "chatferry_spec")]
SETTINGS = {key.place: key.twin for key in keys()}


@pytest.fixture(scope="module")
def tested() -> str:
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/**/*.py")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file != Path(__file__))


@pytest.fixture(scope="module")
def documented() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in ROOT.glob("docs/*.md"))


def test_there_are_hooks_and_settings_and_commands_to_look_for():
    assert len(HOOKS) == 10
    assert len(SETTINGS) > 40
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_tested_and_documented(hook, tested, documented):
    assert re.search(rf"\b{hook}\b", tested)
    assert re.search(rf"^#+ `?{hook}\(", documented, re.MULTILINE)


@pytest.mark.parametrize(("place", "twin"), SETTINGS.items(), ids=SETTINGS)
def test_every_setting_is_tested_and_documented(place, twin, tested, documented):
    name = place.rpartition(".")[2]
    # Set in a test: as an argument, in a file, by its variable, or as a key. The bare word proves nothing.
    assert re.search(rf"\b{name} ?=[^=]|[\"']{name}[\"']|\b{twin}\b", tested)
    assert twin in documented


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_is_tested_and_documented(command, tested, documented):
    assert re.search(rf"""["']{command}["']""", tested)
    assert f"chatferry {command}" in documented
