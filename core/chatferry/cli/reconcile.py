"""``chatferry reconcile`` and ``backfill``: find conversations whose webhook was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from rich.progress import TaskID

from chatferry.cli.output import console, output_option, print_json, table
from chatferry.cli.progress import progress
from chatferry.cli.times import Duration, Moment, iso, shown, span
from chatferry.cli.workspace import Workspace
from chatferry.engine import Engine
from chatferry.ledger.reconciliations import Kind, Progress
from chatferry.runners.local import LocalRunner

F = TypeVar("F", bound=Callable[..., Any])

_POLL_INTERVAL = 0.2

_OPTIONS = (
    click.option("--since", type=Moment(), help="What closed from then on: 2d (ago), or 2026-11-01."),
    click.option(
        "--until", type=Moment(), default="now", show_default=True, help="And before then, in the same form."
    ),
    click.option("--resume", is_flag=True, help="Continue the newest run that was interrupted."),
    click.option("--wait", is_flag=True, help="Wait until a running server or worker has delivered them."),
    click.option("--work", is_flag=True, help="Read and deliver them here; needs no server. Implies --wait."),
    click.option(
        "--timeout", type=Duration(), default="1h", show_default=True, help="How long to wait at most."
    ),
    output_option,
    click.pass_obj,
)


def _period_options(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@_period_options
def reconcile(workspace: Workspace, **options: Any) -> None:
    """Find closed conversations whose webhook was lost, and read them.

    iAdvize is asked for what closed in a period, page by page; conversations that the ledger has not
    read since they closed are read and delivered like any other. A server does this by itself at its
    start and every hour. An interrupted run continues after its last page: --resume, or the same dates
    again. Exits with 1 if something is still to be read or delivered when the wait is over.
    """
    _run(workspace, Kind.RECONCILE, _Options(**options))


@click.command()
@_period_options
def backfill(workspace: Workspace, **options: Any) -> None:
    """Do what reconcile does for a long period, behind live traffic.

    What is found is read and delivered only while nothing newer waits.
    """
    _run(workspace, Kind.BACKFILL, _Options(**options))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """The values of ``_OPTIONS``."""

    since: float | None
    until: float
    resume: bool
    wait: bool
    work: bool
    timeout: float
    output: str


def _run(workspace: Workspace, kind: Kind, options: _Options) -> None:
    engine = workspace.engine
    if not engine.clients:
        raise click.UsageError("no iAdvize client is configured")
    since, until = _period(engine, kind, options)
    with _reporter(options.output) as report:
        found = engine.reconciler.reconcile(since, until, kind=kind, report=report)
    left = _wait(engine, since, until, options) if options.wait or options.work else None
    if options.output == "json":
        print_json(_as_json(found, since, until, left))
    else:
        _show(found, since, until, left)
    if left and any(left):
        raise click.exceptions.Exit(1)


def _period(engine: Engine, kind: Kind, options: _Options) -> tuple[float, float]:
    if options.resume:
        found = engine.ledger.reconciliations.unfinished(kind, engine.clients)
        if found is None:
            raise click.UsageError(f"no {kind} was interrupted; begin one with --since")
        return found
    if options.since is None:
        raise click.UsageError("say since when: --since 2d, --since 2026-11-01, or --resume")
    if options.since >= options.until:
        raise click.UsageError("--since is not before --until")
    return options.since, options.until


@contextmanager
def _reporter(output: str) -> Iterator[Callable[[Progress], None]]:
    """Show the progress page by page; iAdvize does not say how many pages there are."""
    with progress(output) as bar:
        tasks: dict[int, TaskID] = {}

        def report(one: Progress) -> None:
            if one.id not in tasks:
                tasks[one.id] = bar.add_task("", total=None)
            text = f"{one.platform}/{one.client_id}: {one.found} found, {one.missing} missing"
            bar.update(tasks[one.id], description=text, completed=one.found)

        yield report


def _wait(engine: Engine, since: float, until: float, options: _Options) -> tuple[int, int]:
    """Wait until all of the period is read and delivered; return how many are not."""
    deadline = time.monotonic() + options.timeout
    pending = engine.ledger.reconciliations.on_their_way
    left = pending(since, until)
    runner = LocalRunner(engine, reconciling=False) if options.work else nullcontext()
    with runner, progress(options.output) as bar:
        task = bar.add_task("delivering", total=None)
        while any(left) and time.monotonic() < deadline:
            time.sleep(_POLL_INTERVAL)
            left = pending(since, until)
            bar.update(task, description=f"{left[0]} to read, {left[1]} to deliver")
    return left


def _show(found: Sequence[Progress], since: float, until: float, left: tuple[int, int] | None) -> None:
    rows = [(f"{one.platform}/{one.client_id}", one.found, one.missing) for one in found]
    title = f"Closed from {shown(since)} to {shown(until)} ({span(until - since)})"
    console().print(table(title, ("Client", "Found", "Missing here"), rows))
    for one in found:
        if one.leads_nowhere:
            client = f"{one.platform}/{one.client_id}"
            console().print(
                f"{client}: iAdvize's pages lead nowhere after these; there may be more, try again"
            )
    if left is None:
        return
    unread, undelivered = left
    done = "all are read and delivered, dead or skipped: chatferry status"
    still = f"still on their way: {unread} to read, {undelivered} to deliver"
    console().print(still if any(left) else done)


def _as_json(
    found: Sequence[Progress], since: float, until: float, left: tuple[int, int] | None
) -> dict[str, Any]:
    return {
        "since": iso(since),
        "until": iso(until),
        "clients": [
            {
                "platform": one.platform,
                "client_id": one.client_id,
                "found": one.found,
                "missing": one.missing,
                "pages_lead_nowhere": one.leads_nowhere,
            }
            for one in found
        ],
        "on_their_way": {"unread": left[0], "undelivered": left[1]} if left else None,
    }
