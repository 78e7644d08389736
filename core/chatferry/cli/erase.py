"""``chatferry erase``: remove a person, here and in the CRMs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from chatferry.cli.output import output_option, print_json
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
    """Erase the person of a conversation, or of an address, from the CRMs and from here.

    The CRMs' records go by the ids the CRMs gave, the contact included. Here the leads, the visitors'
    words in events and the visitors' ids go; a tombstone stays, so that nothing heard later brings
    them back. Cannot be undone. Exits with 1 if records are still in a CRM, and says why; running it
    again tries again. Erase the visitor in iAdvize as well: this does not.
    """
    if (conversation is None) == (email is None):
        raise click.UsageError("say whom: a conversation, or --email")
    engine = workspace.engine
    meant = _meant(engine, conversation, email, destination)
    if not yes:
        where = f"from {destination}" if destination else "everywhere"
        click.confirm(f"Erase {len(meant)} conversations {where}, for ever?", abort=True, err=True)
    others = engine.ledger.erasures.others(meant)
    report = erase_people(engine, meant, destination)
    if output == "json":
        print_json({**asdict(report), "other_conversations": others})
    else:
        _show(report, others)
    if report.kept:
        raise click.exceptions.Exit(1)


def _meant(
    engine: Engine, conversation: str | None, email: str | None, destination: str | None
) -> Sequence[int]:
    known = [*engine.destinations, *engine.unserved]
    if destination is not None and destination not in known:
        raise click.UsageError(f'there is no destination "{destination}"; there are: {", ".join(known)}')
    meant = engine.ledger.erasures.meant(conversation=conversation, email=email)
    if not meant:
        raise ChatferryError("the ledger knows no such conversation; nothing was erased")
    return meant


def _show(report: ErasureReport, others: int) -> None:
    click.echo(f"{report.conversations} conversations erased here")
    for name, count in report.erased.items():
        click.echo(f"{name}: the records of {count} erased")
    for kept in report.kept:
        click.echo(f"{kept.destination}: the records of {len(kept.keys)} are still there: {kept.reason}")
        for key in kept.keys:
            click.echo(f"  {key}")
    if others:
        click.echo(f"{others} more conversations of the same person are kept; --email erases them all")
