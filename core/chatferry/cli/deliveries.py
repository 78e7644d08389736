"""``chatferry deliveries``, ``retry`` and ``discard``: find deliveries, queue them again, discard them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import click

from chatferry.cli.filters import filter_options, is_everything, require_known, selection_of
from chatferry.cli.output import console, count_of, output_option, print_json, print_result, table
from chatferry.cli.progress import counted, progress
from chatferry.cli.times import age, iso
from chatferry.cli.workspace import Workspace
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import Delivery, DeliveryState
from chatferry.operations.retry import REVIVABLE, revive

_WAITING_FOR_AN_OPERATOR = (DeliveryState.DEAD, DeliveryState.PARKED)
_ids = click.argument("ids", type=int, nargs=-1, metavar="[ID]...")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@filter_options
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Show so many, newest first."
)
@output_option
@click.pass_obj
def deliveries(workspace: Workspace, /, *, limit: int, output: str, **filters: Any) -> None:
    """List deliveries, newest first, by state, destination, project, person, conversation or cause.

    Shows no personal data; chatferry why shows one conversation in full.
    """
    workspace.do_without_secrets()
    selection = selection_of(filters)
    require_known(workspace, selection.destination)
    found = workspace.ledger.selections.list(selection, limit=limit)
    total = workspace.ledger.selections.count(selection)
    if output == "json":
        print_json({"total": total, "deliveries": [_as_json(one) for one in found]})
        return
    now = time.time()
    headings = (
        "ID",
        "Destination",
        "State",
        "Conversation",
        "Queued",
        "Attempts",
        "Next",
        "Reason",
        "Code",
    )
    rows = [
        (
            one.id,
            one.destination,
            one.state,
            one.key,
            age(one.queued_at, now),
            one.attempts or "",
            age(one.due_at, now),
            one.reason,
            one.code,
        )
        for one in found
    ]
    console().print(table("", headings, rows))
    console().print(f"{len(found)} of {total}")


@click.command()
@_ids
@filter_options
@click.option("--all-dead", is_flag=True, help="All that are dead.")
@click.option("--resync", is_flag=True, help="Read the conversations from iAdvize again first.")
@_yes
@output_option
@click.pass_obj
def retry(
    workspace: Workspace,
    /,
    ids: tuple[int, ...],
    *,
    all_dead: bool,
    resync: bool,
    yes: bool,
    output: str,
    **filters: Any,
) -> None:
    """Queue deliveries again: those that are dead, parked or discarded.

    They are mapped again by the present configuration, from the lead that the ledger keeps. Filters
    without a state choose dead and parked deliveries. With --resync their conversations are read from
    iAdvize again and queued even if nothing changed; that also works for what was delivered, pruned or
    skipped. The running server or worker delivers them. Exits with 1 if some could not be queued.
    """
    workspace.do_without_secrets()
    selection = selection_of(
        {**filters, "states": (*filters["states"], *[DeliveryState.DEAD] * all_dead)}, ids
    )
    selection = _chosen(selection, ids)
    require_known(workspace, selection.destination)
    total = workspace.ledger.selections.count(selection)
    _confirm(total, "Read again and queue" if resync else "Retry", yes=yes)
    if resync:
        count = workspace.ledger.selections.reread(selection, time.time()) if total else 0
        print_result(output, f"{count_of(count, 'conversation')} to be read again", {"conversations": count})
        return
    with progress(output) as bar:
        report = revive(workspace.engine, selection, step=counted(bar, "retrying", total))
    answer = {"queued": report.revived, "refused": report.refused, "missing": _missing(ids, total)}
    lines = [f"{report.revived} queued again"]
    lines += [f"{number}: {reason}" for number, reason in report.refused.items()]
    if not report.revived and not report.refused and total:
        lines.append(f"none of the {total} is {', '.join(REVIVABLE)}; --resync reads any again")
    if answer["missing"]:
        lines.append(f"{answer['missing']} of the numbers match no delivery")
    print_result(output, "\n".join(lines), answer)
    if report.refused or answer["missing"]:
        raise click.exceptions.Exit(1)


@click.command()
@_ids
@filter_options
@click.option("--reason", default="discarded by an operator", show_default=True, help="Why, for the record.")
@_yes
@output_option
@click.pass_obj
def discard(
    workspace: Workspace, /, ids: tuple[int, ...], *, reason: str, yes: bool, output: str, **filters: Any
) -> None:
    """Discard deliveries: those that are due, dead or parked.

    Filters without a state choose dead and parked deliveries. Later events of their conversations do
    not queue them again; chatferry retry does. Exits with 1 if one named by its number was not
    discarded; filters that match nothing are no error.
    """
    workspace.do_without_secrets()
    selection = _chosen(selection_of(filters, ids), ids)
    require_known(workspace, selection.destination)
    total = workspace.ledger.selections.count(selection)
    _confirm(total, "Discard", yes=yes)
    count = workspace.ledger.selections.discard(selection, reason) if total else 0
    missing = _missing(ids, total)
    lines = [f"{count} discarded"]
    if total > count:
        lines.append(f"{total - count} are not due, dead or parked any more, and stay as they are")
    if missing:
        lines.append(f"{missing} of the numbers match no delivery")
    print_result(output, "\n".join(lines), {"discarded": count, "missing": missing})
    if ids and count < len(set(ids)):
        raise click.exceptions.Exit(1)


def _chosen(selection: Selection, ids: tuple[int, ...]) -> Selection:
    """Require a choice; without a state it means the deliveries that wait for an operator."""
    if is_everything(selection):
        raise click.UsageError("say which: numbers, filters, or --state dead for all of them")
    if selection.states or ids or selection.conversation:
        return selection
    return replace(selection, states=_WAITING_FOR_AN_OPERATOR)


def _missing(ids: tuple[int, ...], total: int) -> int:
    return max(0, len(set(ids)) - total) if ids else 0


def _confirm(total: int, verb: str, *, yes: bool) -> None:
    if total and not yes:
        click.confirm(f"{verb} {count_of(total, 'delivery', 'deliveries')}?", abort=True, err=True)


def _as_json(one: Delivery) -> dict[str, Any]:
    return {
        "id": one.id,
        "destination": one.destination,
        "state": one.state,
        "key": one.key,
        "platform": one.platform,
        "client_id": one.client_id,
        "project_id": one.project_id,
        "conversation_id": one.conversation_id,
        "attempts": one.attempts,
        "queued_at": iso(one.queued_at),
        "due_at": iso(one.due_at),
        "failing_since": iso(one.failing_since),
        "delivered_at": iso(one.delivered_at),
        "reason": one.reason,
        "code": one.code,
        "reference": one.reference,
    }
