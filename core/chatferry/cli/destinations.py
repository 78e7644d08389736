"""``chatferry destinations``: stop one, and let it go on."""

from __future__ import annotations

import time

import click

from chatferry.cli.output import output_option, print_json
from chatferry.cli.workspace import Workspace


@click.group()
def destinations() -> None:
    """Pause a destination, or resume one that is paused."""


@destinations.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, for whoever looks at the status.")
@output_option
@click.pass_obj
def pause(workspace: Workspace, name: str, *, reason: str, output: str) -> None:
    """Deliver nothing to a destination until it is resumed.

    Leads are queued as ever. A batch that is on its way comes to its end.
    """
    _insist(workspace, name)
    workspace.ledger.destinations.pause_by_operator(name, reason)
    _say(output, f"{name} is paused", {"destination": name, "paused": True})


@destinations.command()
@click.argument("name")
@output_option
@click.pass_obj
def resume(workspace: Workspace, name: str, *, output: str) -> None:
    """Deliver to a destination again, at once, whatever it is paused for.

    One whose trouble is not over is paused again by its next batch.
    """
    _insist(workspace, name)
    count = workspace.ledger.resume_destination(name, time.time())
    text = f"{name} is resumed; {count} deliveries no longer wait"
    _say(output, text, {"destination": name, "paused": False, "due_now": count})


def _insist(workspace: Workspace, name: str) -> None:
    """Make sure the destination is configured, and has its place in the ledger."""
    engine = workspace.engine
    known = [*engine.destinations, *engine.unserved]
    if name not in known:
        raise click.UsageError(f'there is no destination "{name}"; there are: {", ".join(known)}')


def _say(output: str, text: str, answer: dict[str, object]) -> None:
    if output == "json":
        print_json(answer)
    else:
        click.echo(text)
