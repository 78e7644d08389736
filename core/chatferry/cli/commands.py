"""Lazy commands: built-in ones are imported when they run, plugins when a command may be theirs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from chatferry.cli.workspace import Workspace
from chatferry.settings.fields import nearest


class LazyCommand(click.Command):
    """A command that is not imported yet: its name and its one line of help."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.target = target

    def resolve(self) -> click.Command:
        """Import the command, ``module:attribute``."""
        module, _, attribute = self.target.partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found


class Commands(click.Group):
    """A group of lazy commands, which plugins may extend."""

    def __init__(self, *arguments: Any, lazy: Iterable[LazyCommand] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.commands.update({str(command.name): command for command in lazy})
        self._plugins_loaded = False

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; the plugins are loaded only for one that is not built in."""
        if cmd_name not in self.commands:
            self.load_plugins(ctx)
        command = self.commands.get(cmd_name)
        return command.resolve() if isinstance(command, LazyCommand) else command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, the built-in ones first."""
        self.load_plugins(ctx)
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing the built-in ones."""
        shown = [name for name in self.list_commands(ctx) if not self.commands[name].hidden]
        limit = formatter.width - 6 - max(map(len, shown), default=0)
        rows = [(name, self.commands[name].get_short_help_str(limit)) for name in shown]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for, or name the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            hint = nearest(args[0], self.commands)
            ctx.fail(f'there is no command "{args[0]}"{hint}')

    def load_plugins(self, ctx: click.Context) -> None:
        """Let the plugins add their commands, once."""
        if not self._plugins_loaded:
            self._plugins_loaded = True
            workspace_of(ctx).installed.register_commands(self)


def workspace_of(context: click.Context) -> Workspace:
    """Return the run's workspace; it is made at the first call."""
    root = context.find_root()
    if root.obj is None:
        config = root.params.get("config") or Path(os.environ.get("CHATFERRY_CONFIG") or "chatferry.toml")
        root.obj = root.with_resource(Workspace(config))
    workspace: Workspace = root.obj
    return workspace
