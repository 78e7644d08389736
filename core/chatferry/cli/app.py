"""The command ``chatferry``: its subcommands, ``--config`` and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from chatferry._version import __version__
from chatferry.cli.commands import Commands, LazyCommand, workspace_of
from chatferry.errors import (
    ChatferryError,
    LedgerError,
    LedgerMissing,
    PlatformAuthFailure,
    PlatformUnavailable,
    PluginError,
    SettingsError,
)

EXIT_CODES = """\b
Exit codes:
  0    done
  1    done, and something is wrong (a check that fails, a lead that is dead)
  2    the command, the configuration or a plugin is wrong; nothing was done
  3    the ledger or a remote system is out of reach; try again
  4    a bug in chatferry; report it
  130  interrupted
"""

COMMANDS = (
    LazyCommand("init", "chatferry.cli.init:init", "Write a configuration to begin with."),
    LazyCommand("check", "chatferry.cli.check:check", "Check the whole installation; change nothing."),
    LazyCommand("serve", "chatferry.cli.serve:serve", "Accept webhooks, sync and deliver, until SIGTERM."),
    LazyCommand("worker", "chatferry.cli.serve:worker", "Sync and deliver without the web side."),
    LazyCommand("status", "chatferry.cli.status:status", "Show what waits and what needs you."),
    LazyCommand("deliveries", "chatferry.cli.deliveries:deliveries", "List deliveries."),
    LazyCommand("why", "chatferry.cli.why:why", "Show the history of one conversation."),
    LazyCommand("retry", "chatferry.cli.deliveries:retry", "Queue deliveries again."),
    LazyCommand("discard", "chatferry.cli.deliveries:discard", "Discard deliveries."),
    LazyCommand(
        "reconcile", "chatferry.cli.reconcile:reconcile", "Read conversations whose webhook was lost."
    ),
    LazyCommand(
        "backfill", "chatferry.cli.reconcile:backfill", "The same for a long period, behind live traffic."
    ),
    LazyCommand("prune", "chatferry.cli.prune:prune", "Delete old events and the content of old leads."),
    LazyCommand("erase", "chatferry.cli.erase:erase", "Remove a person, here and in the CRMs."),
    LazyCommand(
        "destinations",
        "chatferry.cli.destinations:destinations",
        "List, pause, resume destinations.",
    ),
    LazyCommand("preview", "chatferry.cli.preview:preview", "Show what a conversation would become."),
    LazyCommand("plugins", "chatferry.cli.plugins:plugins", "Show the installed plugins and their state."),
    LazyCommand("emulate", "chatferry.cli.emulate:emulate", "Run a stand-in for iAdvize or a CRM."),
    LazyCommand("demo", "chatferry.cli.demo.command:demo", "Run the whole pipeline on emulated data."),
)
"""The built-in commands, in the order of the help: name, import path, one line of help."""


def command_line() -> Commands:
    """Return a new command group ``chatferry``; plugins add their commands to it."""

    @click.pass_context
    def cli(context: click.Context, config: Path) -> None:  # noqa: ARG001  (the workspace reads it)
        """Carry iAdvize chat conversations into CRMs."""
        workspace_of(context)

    config = click.Option(
        ["--config"],
        type=click.Path(path_type=Path),
        default=Path("chatferry.toml"),
        envvar="CHATFERRY_CONFIG",
        show_default=True,
        show_envvar=True,
        help="The configuration file.",
    )
    group = Commands(
        "chatferry",
        lazy=COMMANDS,
        callback=cli,
        params=[config],
        help=cli.__doc__,
        epilog=EXIT_CODES,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    return click.version_option(__version__, prog_name="chatferry")(group)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Errors are printed as sentences, not as tracebacks."""
    try:
        code = command_line().main(arguments, prog_name="chatferry", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except ChatferryError as error:
        _print_error(*(error.problems if isinstance(error, SettingsError) else [str(error)]))
        code = _exit_code(error)
    except Exception as error:  # noqa: BLE001  (a traceback shows values, which may be personal data)
        from chatferry.logs import described  # noqa: PLC0415  (seldom needed)

        _print_error(f"chatferry failed: {described(error)}; report it")
        code = 4
    sys.exit(code if isinstance(code, int) else 0)


def _exit_code(error: ChatferryError) -> int:
    if isinstance(error, SettingsError | PluginError | PlatformAuthFailure | LedgerMissing):
        return 2
    return 3 if isinstance(error, LedgerError | PlatformUnavailable) else 1


def _print_error(*lines: str) -> None:
    for line in lines:
        click.echo(line, err=True)
