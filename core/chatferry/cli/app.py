"""``chatferry``: which commands there are, where the configuration is, how it ends."""

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
  4    a mistake of chatferry's own; report it
  130  interrupted
"""

COMMANDS = (
    LazyCommand("init", "chatferry.cli.init:init", "Write a configuration to begin with."),
    LazyCommand("check", "chatferry.cli.check:check", "Look at everything; change nothing."),
    LazyCommand("serve", "chatferry.cli.serve:serve", "Accept webhooks, sync and deliver, until SIGTERM."),
    LazyCommand("worker", "chatferry.cli.serve:worker", "Sync and deliver without the web side."),
    LazyCommand("status", "chatferry.cli.status:status", "Show what waits and what needs you."),
    LazyCommand("deliveries", "chatferry.cli.deliveries:deliveries", "List deliveries."),
    LazyCommand("why", "chatferry.cli.why:why", "Tell the whole story of one conversation."),
    LazyCommand("retry", "chatferry.cli.deliveries:retry", "Queue deliveries again."),
    LazyCommand("discard", "chatferry.cli.deliveries:discard", "Give deliveries up."),
    LazyCommand("reconcile", "chatferry.cli.reconcile:reconcile", "Find what no webhook told of."),
    LazyCommand("backfill", "chatferry.cli.reconcile:backfill", "The same over a long past."),
    LazyCommand("prune", "chatferry.cli.prune:prune", "Drop what has done its work."),
    LazyCommand("erase", "chatferry.cli.erase:erase", "Remove a person, here and in the CRMs."),
    LazyCommand(
        "destinations", "chatferry.cli.destinations:destinations", "Park a destination, or wake one."
    ),
    LazyCommand("preview", "chatferry.cli.preview:preview", "Show what a conversation would become."),
    LazyCommand("plugins", "chatferry.cli.plugins:plugins", "Show the plugins and how they are."),
    LazyCommand("emulate", "chatferry.cli.emulate:emulate", "Run a stand-in for iAdvize or a CRM."),
    LazyCommand("demo", "chatferry.cli.demo.command:demo", "Do the main job on emulated conversations."),
)
"""Ours, in the order of the help. Name, where it is, its one line of help."""


def command_line() -> Commands:
    """Return a fresh ``chatferry``; plugins add their commands to it."""

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
    """Run the command line; errors are sentences, not tracebacks."""
    try:
        code = command_line().main(arguments, prog_name="chatferry", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except ChatferryError as error:
        _say(*(error.problems if isinstance(error, SettingsError) else [str(error)]))
        code = _code(error)
    except Exception as error:  # noqa: BLE001  (a traceback shows values, and helps no operator)
        from chatferry.logs import described  # noqa: PLC0415  (seldom needed)

        _say(f"chatferry failed: {described(error)}; report it")
        code = 4
    sys.exit(code if isinstance(code, int) else 0)


def _code(error: ChatferryError) -> int:
    if isinstance(error, SettingsError | PluginError | PlatformAuthFailure):
        return 2
    return 3 if isinstance(error, LedgerError | PlatformUnavailable) else 1


def _say(*lines: str) -> None:
    for line in lines:
        click.echo(line, err=True)
