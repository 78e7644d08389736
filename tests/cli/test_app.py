"""The command line as a whole: its commands, the plugins', and how errors end it."""

from __future__ import annotations

import subprocess
import sys

COMMANDS = """
    import click
    from chatferry import hookimpl

    @click.command()
    @click.pass_obj
    def greet(workspace):
        "Greet the operator."
        click.echo(f"hello from {workspace.config.name}")

    @click.command()
    def stumble():
        "Fall over a programmer's mistake."
        raise KeyError("ada@example.com")

    @hookimpl
    def register_commands(cli):
        cli.add_command(greet)
        cli.add_command(stumble)
"""
GREEDY = """
    import click
    from chatferry import hookimpl

    @hookimpl
    def register_commands(cli):
        cli.add_command(click.Command("serve", callback=print))
"""


def test_the_help_lists_our_commands_and_those_of_plugins(run, install):
    install("greeter", COMMANDS)
    shown = run("--help")
    assert shown.code == 0
    assert "check" in shown.out
    assert "Greet the operator." in shown.out


def test_a_plugins_command_gets_the_workspace(run, install):
    install("greeter", COMMANDS)
    assert run("greet").out == "hello from chatferry.toml\n"


def test_a_plugin_cannot_take_the_place_of_our_commands(run, install):
    install("greedy", GREEDY)
    shown = run("--help")
    assert "Accept webhooks" in shown.out
    assert "register_commands replaces serve" in shown.err


def test_an_unknown_command_names_the_nearest(run):
    ran = run("chekc")
    assert ran.code == 2
    assert 'there is no command "chekc"; did you mean "check"?' in ran.err


def test_a_mistake_in_a_program_shows_no_traceback_and_no_value(run, install):
    install("greeter", COMMANDS)
    ran = run("stumble")
    assert ran.code == 4
    assert "KeyError at chatferry_greeter_for_tests:" in ran.err
    assert "ada@example.com" not in ran.err
    assert "Traceback" not in ran.err


def test_a_missing_configuration_is_said_in_a_sentence(run, folder):
    ran = run("serve")
    assert ran.code == 2
    assert ran.err == f"{folder}/chatferry.toml: there is no such file; write one with: chatferry init\n"


def test_a_ledger_out_of_reach_ends_with_3(run, configure, folder):
    path = configure()
    path.write_text(f'database = "sqlite:///{folder}/nowhere/chatferry.db"\n{path.read_text()}')
    ran = run("worker")
    assert ran.code == 3
    assert "nowhere/chatferry.db" in ran.err


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "chatferry", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("chatferry, version ")
