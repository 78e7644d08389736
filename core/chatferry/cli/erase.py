"""``chatferry erase``: remove a person, here and in the CRMs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from chatferry.cli.filters import require_destination
from chatferry.cli.output import count_of, output_option, print_json
from chatferry.cli.workspace import Workspace
from chatferry.engine import Engine
from chatferry.errors import ChatferryError
from chatferry.operations.erasure import ErasureReport
from chatferry.operations.erasure import erase as erase_people


@click.command()
@click.argument("conversation", required=False)
@click.option("--email", help="Every conversation of this person, by e-mail.")
@click.option("--destination", help="Only from this destination, and what is kept here for it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_option
@click.pass_obj
def erase(
    workspace: Workspace,
    conversation: str | None,
    *,
    email: str | None,
    destination: str | None,
    yes: bool,
    output: str,
) -> None:
    """Erase the person of a conversation, or of an e-mail address, from the CRMs and from here.

    In the CRMs the records are erased by the ids that the CRMs returned, the contact included. Here the
    leads, the visitors' words in events and the visitors' ids are erased; a tombstone stays, so that no
    later event brings them back. Cannot be undone. Exits with 1 if records are still in a CRM, and says
    why; run it again to try again. Erase the visitor in iAdvize as well: this does not.
    """
    if (conversation is None) == (email is None):
        raise click.UsageError("name a conversation, or use --email")
    engine = workspace.engine
    chosen = _chosen(engine, conversation, email, destination)
    if not yes:
        where = f"from {destination}" if destination else "everywhere"
        click.confirm(
            f"Erase {count_of(len(chosen), 'conversation')} {where}, for ever?", abort=True, err=True
        )
    others = engine.ledger.erasures.others(chosen)
    report = erase_people(engine, chosen, destination)
    if output == "json":
        print_json({**asdict(report), "other_conversations": others})
    else:
        _show(report, others)
    if report.kept:
        raise click.exceptions.Exit(1)


def _chosen(
    engine: Engine, conversation: str | None, email: str | None, destination: str | None
) -> Sequence[int]:
    if destination is not None:
        require_destination(engine, destination)
    chosen = engine.ledger.erasures.meant(conversation=conversation, email=email)
    if not chosen:
        raise ChatferryError("the ledger knows no such conversation; nothing was erased")
    return chosen


def _show(report: ErasureReport, others: int) -> None:
    click.echo(f"{count_of(report.conversations, 'conversation')} erased here")
    for name, count in report.erased.items():
        click.echo(f"{name}: the records of {count} erased")
    for kept in report.kept:
        click.echo(f"{kept.destination}: the records of {len(kept.keys)} are still there: {kept.reason}")
        for key in kept.keys:
            click.echo(f"  {key}")
    if others:
        click.echo(
            f"{count_of(others, 'other conversation')} of the same person stay; --email erases them all"
        )
