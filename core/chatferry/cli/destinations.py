"""``chatferry destinations``: list them, pause one, and resume it."""

from __future__ import annotations

import time

import click

from chatferry.cli.filters import require_destination
from chatferry.cli.output import console, count_of, output_option, print_json, print_result, table
from chatferry.cli.workspace import Workspace


@click.group(invoke_without_command=True)
@output_option
@click.pass_context
def destinations(context: click.Context, *, output: str) -> None:
    """List the destinations; pause one, or resume one that is paused."""
    if context.invoked_subcommand is None:
        _list(context.obj, output)


def _list(workspace: Workspace, output: str) -> None:
    workspace.do_without_secrets()
    states = workspace.ledger.destinations.states()
    rows = [
        {
            "destination": one.name,
            "connector": one.connector,
            "enabled": one.enabled,
            "served": one.enabled and one.name not in workspace.unserved,
            "paused": state.pause_kind if (state := states.get(one.name)) else None,
        }
        for one in workspace.settings.destinations.values()
    ]
    if output == "json":
        print_json(rows)
        return
    shown = [
        (one["destination"], one["connector"], one["paused"] or ("served" if one["served"] else "not served"))
        for one in rows
    ]
    console().print(table("", ("Destination", "Connector", "State"), shown))


@destinations.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why; chatferry status shows it.")
@output_option
@click.pass_obj
def pause(workspace: Workspace, name: str, *, reason: str, output: str) -> None:
    """Deliver nothing to a destination until it is resumed.

    Leads are still queued. A batch that is being delivered is finished.
    """
    workspace.do_without_secrets()
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
    workspace.do_without_secrets()
    require_destination(workspace.engine, name)
    count = workspace.ledger.resume_destination(name, time.time())
    text = f"{name} is resumed; {count_of(count, 'delivery', 'deliveries')} due now"
    print_result(output, text, {"destination": name, "paused": False, "due_now": count})
