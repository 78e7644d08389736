"""docs/cli.md describes every command and every option, and none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from chatferry.cli.app import EXIT_CODES, command_line
from chatferry.cli.commands import LazyCommand

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^###? `chatferry (.+?)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROW = re.compile(r"^\| `(--[^`]+)` \| ([^|]*)\| (.+) \|$", re.MULTILINE)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that chatferry brings itself."""
    root = command_line()
    context = click.Context(root)
    for name, stub in root.commands.items():
        command = stub.resolve() if isinstance(stub, LazyCommand) else stub
        yield name, command
        if name == "emulate":
            below = command.get_command(click.Context(command, parent=context), "iadvize")
            yield "emulate iadvize", below
        elif isinstance(command, click.Group):
            yield from ((f"{name} {below}", each) for below, each in command.commands.items())


COMMANDS = dict(commands())


def usage(name: str) -> str:
    context = click.Context(COMMANDS[name])
    arguments = [p for p in COMMANDS[name].params if isinstance(p, click.Argument)]
    return " ".join([name, *(argument.make_metavar(context) for argument in arguments)])


def options(command: click.Command) -> dict[str, str]:
    """Each option as the page writes it, with its default as the page writes that."""
    found = {}
    for option in command.params:
        if isinstance(option, click.Option):
            label = "/".join([*option.opts[:1], *option.secondary_opts[:1]])
            found[label] = default(option, label)
    return found


def default(option: click.Option, label: str) -> str:
    if option.required:
        return "required"
    if not option.show_default:
        return ""
    if isinstance(option.default, bool):
        return f"`{label.split('/')[0 if option.default else 1]}`"
    values = option.default if isinstance(option.default, tuple) else (option.default,)
    return f"`{', '.join(map(str, values))}`"


def test_the_page_has_the_commands_there_are_in_their_order():
    assert list(SECTIONS) == [usage(name) for name in COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_options_of_a_command_are_documented_with_their_defaults(name):
    rows = ROW.findall(SECTIONS[usage(name)])
    assert {label: said.strip() for label, said, _ in rows} == options(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_explain_themselves(name):
    assert COMMANDS[name].help
    assert all(p.help for p in COMMANDS[name].params if isinstance(p, click.Option))


def test_the_list_of_commands_has_a_short_sentence_for_each():
    stubs = command_line().commands
    assert all(stub.help.endswith(".") and len(stub.help) < 60 for stub in stubs.values())


def test_the_exit_codes_are_documented():
    codes = dict(re.findall(r"^  (\d+) +(.+)$", EXIT_CODES, re.MULTILINE))
    assert codes
    assert dict(re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)) == codes
