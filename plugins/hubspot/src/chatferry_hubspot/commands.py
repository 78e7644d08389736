"""``chatferry hubspot``: what an administrator does once, from the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chatferry_hubspot.connector import HubSpot
from chatferry_hubspot.provision import Action, Step, apply, plan

PIPED_WIDTH = 160


@click.group()
def hubspot() -> None:
    """Set a HubSpot account up for chatferry."""


@hubspot.command()
@click.argument("destination")
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before changing anything.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def provision(ctx: click.Context, destination: str, *, dry_run: bool, yes: bool, output: str) -> None:
    """Create the properties and the object that DESTINATION writes to; what is there is kept."""
    connector = ctx.obj.connector(destination)
    if not isinstance(connector, HubSpot):
        raise click.ClickException(
            f"the destination {destination!r} is for {connector.name}, not for {HubSpot.name}"
        )
    steps = plan(connector.client, connector.context.fields)
    if output == "text":
        _show(steps, "Plan")
    if dry_run:
        _finish(steps, output, "Nothing was changed.")
        return
    if not any(step.action is Action.CREATE for step in steps):
        connector.remember_storage()
        _finish(steps, output, "Nothing was changed.")
        return
    if not yes:
        click.confirm("Create what is missing?", abort=True, err=True)
    done = list(apply(connector.client, steps))
    connector.remember_storage()
    if output == "text":
        _show(done, "Done")
    _finish(done, output, "")


def _show(steps: Sequence[Step], title: str) -> None:
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    table = Table(title=title, title_justify="left")
    for heading in ("Action", "What", "Why"):
        table.add_column(heading)
    for step in steps:
        table.add_row(*(Text(text) for text in (step.action.value, step.subject, step.why)))
    console.print(table)


def _finish(steps: Sequence[Step], output: str, remark: str) -> None:
    if output == "json":
        rows = [{"action": step.action.value, "subject": step.subject, "why": step.why} for step in steps]
        click.echo(json.dumps(rows, indent=2))
    elif remark:
        click.echo(remark)
    if any(step.action in {Action.REFUSED, Action.MANUAL} for step in steps):
        raise click.exceptions.Exit(1)
