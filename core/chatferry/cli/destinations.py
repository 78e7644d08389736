"""``chatferry destinations``: pause one, and resume it."""

from __future__ import annotations

import time

import click

from chatferry.cli.filters import require_destination
from chatferry.cli.output import output_option, print_result
from chatferry.cli.workspace import Workspace


@click.group()
def destinations() -> None:
    """Pause a destination, or resume one that is paused."""


@destinations.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why; chatferry status shows it.")
@output_option
@click.pass_obj
def pause(workspace: Workspace, name: str, *, reason: str, output: str) -> None:
    """Deliver nothing to a destination until it is resumed.

    Leads are still queued. A batch that is being delivered is finished.
    """
    require_destination(workspace.engine, name)
    workspace.ledger.destinations.pause_by_operator(name, reason)
    print_result(output, f"{name} is paused", {"destination": name, "paused": True})


@destinations.command()
@click.argument("name")
@output_option
@click.pass_obj
def resume(workspace: Workspace, name: str, *, output: str) -> None:
    """Deliver to a destination again, at once, whatever the reason of its pause.

    If the cause persists, the next batch pauses it again.
    """
    require_destination(workspace.engine, name)
    count = workspace.ledger.resume_destination(name, time.time())
    text = f"{name} is resumed; {count} deliveries no longer wait"
    print_result(output, text, {"destination": name, "paused": False, "due_now": count})
