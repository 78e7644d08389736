"""Every command in the documentation is one: those of chatferry are taken by its command line."""

from __future__ import annotations

import argparse
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import pytest
import requests
from documentation_blocks import ROOT, Block, blocks

from chatferry.cli.app import command_line
from chatferry.emulators import Server

HUBSPOT = pytest.importorskip("chatferry_hubspot.emulator", reason="its commands are shown").EMULATOR
SALESFORCE = pytest.importorskip("chatferry_salesforce.emulator", reason="the same").EMULATOR

SHELL = ("sh", "console")
OTHERS = {
    "": ("docs/architecture.md", "docs/life-of-a-conversation.md"),  # drawings
    "ini": ("docs/operations.md",),
    "nginx": ("docs/proxy.md",),
    "caddy": ("docs/proxy.md",),
    "text": ("docs/test-a-plugin.md",),  # what a command prints
}
"""Languages that nothing here runs, and where they may be: other tests read these pages."""


def test_there_is_a_test_for_every_kind_of_block():
    tested = {*SHELL, "toml", "python"}
    left = [block for block in blocks() if block.language not in tested]
    assert [str(block) for block in left if block.page not in OTHERS.get(block.language, ())] == []


def commands() -> list[tuple[Block, str]]:
    return [
        (block, command.strip())
        for block in blocks(*SHELL)
        for line in block.commands
        for command in line.split("&&")
    ]


@pytest.mark.parametrize(("block", "command"), commands(), ids=str)
def test_a_command_is_one(block, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    PROGRAMS[program.rpartition("/")[2]](block, arguments)


def chatferry(_block: Block, arguments: list[str]) -> None:
    """The command line takes it; nothing is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click.Command, "invoke", lambda _command, _context: None)
        command_line().main(arguments, prog_name="chatferry", standalone_mode=False)


@pytest.mark.parametrize("wrong", ["demo --conversation 3", "hubspot provide crm", "emulate iadvise", "serf"])
def test_one_there_is_not_is_found(wrong):
    with pytest.raises(click.UsageError):
        chatferry(blocks()[0], wrong.split())


def pip(_block: Block, arguments: list[str]) -> None:
    """What is installed is in the repository, or is known to be elsewhere."""
    verb, *what = arguments
    assert verb == "install"
    for one in what:
        path = one.partition("[")[0]
        assert (
            one in {"-e", "-r", *ELSEWHERE} or one.partition("==")[0] in ELSEWHERE or (ROOT / path).exists()
        )


ELSEWHERE = {"tox", "ruff", "mypy", "types-requests", "pre-commit"}


def python(_block: Block, arguments: list[str]) -> None:
    """It makes an environment, or runs a script that is there."""
    if arguments[:2] != ["-m", "venv"]:
        assert (ROOT / arguments[0]).is_file()


def export(_block: Block, arguments: list[str]) -> None:
    assert all(one.partition("=")[0].isidentifier() and "=" in one for one in arguments)


def needs_nothing(_block: Block, _arguments: list[str]) -> None:
    """A command of the system, or of a tool that the line before installs."""


def curl(block: Block, arguments: list[str]) -> None:
    """The request is made, of the emulator that the page is about."""
    emulator, status = EMULATED[block.page]
    parser = argparse.ArgumentParser()
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", action="append")
    parser.add_argument("url")
    given = parser.parse_args(arguments)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers |= dict(header.split(": ", 1) for header in given.H)
    with Server(emulator.create(faults=emulator.board())) as server:
        url = server.url + given.url.removeprefix("http://127.0.0.1")[len(":8790") :]
        assert requests.post(url, "&".join(given.d), headers=headers, timeout=10).status_code == status


EMULATED = {"docs/emulator-hubspot.md": (HUBSPOT, 201), "docs/emulator-salesforce.md": (SALESFORCE, 200)}
"""The emulator that a page is about, and the status that its request is answered with."""


def flock(_block: Block, arguments: list[str]) -> None:
    """The copy is made beside the files of a connector."""
    folder = Path("leads")
    folder.mkdir()
    (folder / ".chatferry-csv.lock").touch()
    (folder / "conversations.csv").write_text("key\n")
    subprocess.run(["flock", *arguments], check=True)


PROGRAMS: Mapping[str, Callable[[Block, list[str]], None]] = {
    "chatferry": chatferry,
    "pip": pip,
    "python": python,
    "python3": python,
    "export": export,
    "curl": curl,
    "flock": flock,
    "mkdir": needs_nothing,
    "cd": needs_nothing,
    "tox": needs_nothing,
    "pre-commit": needs_nothing,
}
