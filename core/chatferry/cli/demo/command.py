"""``chatferry demo``: the whole pipeline on a machine that has nothing but Python."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chatferry.cli.demo.run import DemoPlan, DemoResult, demonstrate
from chatferry.cli.output import console, output_option, plain, print_json, table
from chatferry.cli.stopping import stop_on_signals
from chatferry.cli.workspace import Workspace
from chatferry.connector import Connector
from chatferry.settings.fields import nearest

MARK = ".chatferry-demo"
"""The file that marks a folder as written by a demonstration, which may be emptied."""
_SHOWN = 10


@click.command()
@click.option(
    "--conversations",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="How many conversations happen.",
)
@click.option(
    "--seed", type=int, default=7, show_default=True, help="The seed that generates the conversations."
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("chatferry-demo"),
    show_default=True,
    help="Where everything is written; a folder of an earlier demonstration is emptied.",
)
@click.option(
    "--destination",
    default="csv",
    show_default=True,
    metavar="CONNECTOR",
    help="Where the leads go: a connector that has a demonstration.",
)
@click.option(
    "--keep/--no-keep", default=True, show_default=True, help="Whether the folder stays when it is over."
)
@output_option
@click.pass_obj
def demo(
    workspace: Workspace,
    *,
    conversations: int,
    seed: int,
    directory: Path,
    destination: str,
    keep: bool,
    output: str,
) -> None:
    """Run the whole pipeline on emulated conversations.

    Starts an emulated iAdvize, a real chatferry server and what the connector needs, all on this
    machine and over HTTP; lets conversations happen, with duplicate and reordered webhooks and data
    that appear late; and compares every lead that arrives with the emulator's ground truth.
    Exits with 1 if anything is missing or wrong.
    """
    connector = _connector(workspace, destination)
    folder = directory.absolute()
    with _demo_folder(folder, keep=keep):
        plan = DemoPlan(connector=connector, directory=folder, conversations=conversations, seed=seed)
        with stop_on_signals() as stop, _progress(console(stderr=True), conversations) as progress:
            outcome = demonstrate(plan, progress, stop.pause)
        if output == "json":
            print_json(_as_json(outcome, conversations))
        else:
            _show(outcome, conversations, keep=keep)
    if outcome.comparison.differences:
        raise click.exceptions.Exit(1)


def _connector(workspace: Workspace, name: str) -> type[Connector]:
    known = workspace.installed.connectors
    shown = [each for each, one in known.items() if one.stage.__func__ is not Connector.stage.__func__]  # type: ignore[attr-defined]  # a class method's function
    if name in shown:
        return known[name]
    there = f"; there are: {', '.join(sorted(shown)) or 'none, install chatferry-csv'}"
    raise click.UsageError(f'there is no demonstration for "{name}"{nearest(name, shown) or there}')


@contextmanager
def _demo_folder(folder: Path, *, keep: bool) -> Iterator[None]:
    """Make an empty folder, and delete it afterwards unless ``keep``."""
    mark = folder / MARK
    try:
        if mark.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise click.UsageError(f"{folder} is not empty and no demonstration's; name another --directory")
        mark.touch()
    except OSError as error:
        raise click.UsageError(f"{folder} cannot be used: {error.strerror}") from None
    try:
        yield
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _progress(out: Console, total: int) -> Iterator[Callable[[str, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as bars:
        tasks = {
            "acknowledged": bars.add_task("closed, webhook acknowledged", total=total),
            "arrived": bars.add_task("leads arrived", total=total),
        }
        yield lambda name, count: bars.update(tasks[name], completed=count)


def _show(outcome: DemoResult, conversations: int, *, keep: bool) -> None:
    out, found = console(), outcome.comparison
    expressions = {
        f"{kind}.{name}": expression
        for kind, fields in outcome.mapping.items()
        for name, expression in fields.items()
    }
    rows = [
        (name, expressions[name], found.expected[name], plain(found.right[name], _style(found, name)))
        for name in found.expected
    ]
    out.print(table("What arrived", ("Field", "Is", "Should be there", "There and right"), rows))
    misbehaved = ", ".join(f"{count} {name}" for name, count in sorted(outcome.misbehaved.items()))
    out.print(
        f"{found.arrived} of {conversations} conversations arrived, the last {outcome.seconds:.1f} s after "
        f"the first closed; {sum(outcome.events.values())} events in {outcome.attempts} webhooks.",
        f"On the way: {misbehaved or 'nothing unusual'}.",
        sep="\n",
        markup=False,
    )
    _show_differences(out, outcome)
    if keep:
        lines = [*outcome.places, f"{outcome.log}  (what the server logged)"]
        out.print("Look at:", *(f"  {line}" for line in lines), sep="\n", markup=False, soft_wrap=True)


def _style(found: Any, name: str) -> str:
    return "green" if found.right[name] == found.expected[name] else "red"


def _show_differences(out: Console, outcome: DemoResult) -> None:
    differences = outcome.comparison.differences
    if not differences:
        out.print("Every lead is right.", style="green")
        return
    rows = [(one.key, one.field or "(the lead)", one.expected, one.found) for one in differences[:_SHOWN]]
    out.print(
        table(
            "Differences"
            if len(rows) == len(differences)
            else f"The first of {len(differences)} differences",
            ("Lead", "Field", "Should be", "Is"),
            rows,
        ),
        style="red",
    )


def _as_json(outcome: DemoResult, conversations: int) -> dict[str, Any]:
    found = outcome.comparison
    return {
        "conversations": conversations,
        "arrived": found.arrived,
        "seconds": round(outcome.seconds, 3),
        "events": outcome.events,
        "webhooks": outcome.attempts,
        "misbehaved": outcome.misbehaved,
        "fields": {
            name: {"expected": count, "right": found.right[name]} for name, count in found.expected.items()
        },
        "differences": [asdict(one) for one in found.differences],
        "places": list(outcome.places),
        "log": str(outcome.log),
    }
