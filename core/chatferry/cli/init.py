"""``chatferry init``: write a first configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from chatferry.cli.clients import ClientName
from chatferry.cli.template import configuration, variables
from chatferry.cli.workspace import Workspace
from chatferry.connector import Connector
from chatferry.plugins import Plugins
from chatferry.settings.fields import nearest


@click.command()
@click.option(
    "--connector",
    "names",
    multiple=True,
    default=("csv",),
    show_default=True,
    metavar="NAME",
    help="Where leads go: a connector's name, as `chatferry plugins` shows it. May be repeated.",
)
@click.option(
    "--client",
    type=ClientName(),
    default="ha/335",
    show_default=True,
    help="Your iAdvize client: its platform and its number.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing configuration.")
@click.pass_obj
def init(workspace: Workspace, *, names: Sequence[str], client: tuple[str, int], force: bool) -> None:
    """Write a configuration to begin with.

    It is written to the path of `chatferry --config`, with a destination for each connector. An existing
    file is not overwritten without --force.
    """
    chosen = _connectors(workspace.installed, names)
    text = configuration(chosen, *client)
    _write(workspace.config, text, force=force)
    click.echo(f"{workspace.config} is written. Its comments explain the settings; look through it.")
    unset = [name for name in variables(text) if not os.environ.get(name)]
    if unset:
        click.echo("\nSet these environment variables, or refer to files instead:")
        for name in unset:
            click.echo(f"  export {name}=…")
    option = "" if workspace.config == Path("chatferry.toml") else f" --config {workspace.config}"
    click.echo(
        f"\nThen:\n  chatferry{option} check    checks the whole installation and changes nothing\n"
        f"  chatferry{option} serve    accepts webhooks at /webhooks/iadvize and delivers"
    )


def _connectors(plugins: Plugins, names: Sequence[str]) -> Mapping[str, type[Connector]]:
    known = plugins.connectors
    for name in names:
        if name not in known:
            there = f"; there are: {', '.join(sorted(known)) or 'none'}; install its plugin"
            raise click.UsageError(f'there is no connector "{name}"{nearest(name, known) or there}')
    return {name: known[name] for name in names}


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{path} exists already; --force overwrites it") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
