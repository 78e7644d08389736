"""``chatferry status``: queues, destinations and problems, and whether an operator is needed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from chatferry.cli.hook_failures import hook_failures, sentence
from chatferry.cli.ledger_check import disk_space
from chatferry.cli.needs import needs
from chatferry.cli.output import console, count_of, output_option, plain, print_json, table
from chatferry.cli.times import age, iso
from chatferry.cli.workspace import Workspace, not_served
from chatferry.connector import Level
from chatferry.errors import LedgerError
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.destinations import DestinationState
from chatferry.ledger.status import DestinationStatus, Queue, ReadingBacklog, Status
from chatferry.plugins.report import PluginReport


@click.command()
@output_option
@click.pass_obj
def status(workspace: Workspace, *, output: str) -> None:
    """Show what waits, what went wrong and what needs you.

    Exits with 1 if an operator is needed: deliveries are dead or wait for a destination that is not
    served, or that takes nothing for an hour, the ledger cannot be written or its disk is nearly full,
    conversations were given up or have not been read for an hour, iAdvize or a CRM refuses its
    credentials, a connector keeps hanging, or a plugin is broken, leaves destinations unserved or failed
    in a hook within a day. Shows no personal data.
    """
    workspace.do_without_secrets()
    found = workspace.ledger.status(time.time())
    broken = list(workspace.installed.broken)
    served = [one.name for one in workspace.settings.destinations.values() if one.enabled]
    wanted = [not_served(name, reason) for name, reason in workspace.unserved.items()]
    wanted += needs(found, broken, served, time.time())
    wanted += _about_ledger(workspace)
    wanted += map(sentence, hook_failures(workspace))
    if output == "json":
        print_json(_as_json(found, broken, wanted))
    else:
        _show(found, broken, wanted)
    if wanted:
        raise click.exceptions.Exit(1)


def _about_ledger(workspace: Workspace) -> Iterator[str]:
    """Say that nothing can be written, or soon nothing: every webhook is answered with 503 then."""
    try:
        workspace.ledger.ping()
    except LedgerError as error:
        yield f"{error}; webhooks are answered with 503 until it can be written"
    for finding in disk_space(workspace.settings.database):
        if finding.level is Level.ERROR:
            yield f"the disk of the ledger: {finding.message}; make room"


def _show(found: Status, broken: list[PluginReport], wanted: list[str]) -> None:
    now = time.time()
    screen = console()
    told = f"{count_of(found.events, 'event')}, {count_of(found.conversations, 'conversation')}"
    screen.print(
        f"{told}; {_reading_line(found.reading, now)}",
        soft_wrap=True,
    )
    counted = [name for name in _COUNTED if name in _ALWAYS or _is_there(found, _COUNTED[name])]
    headings = ("Destination", *counted, "Oldest", "Last success")
    screen.print(table("", headings, [_row(one, counted, now) for one in found.destinations]))
    for one in found.destinations:
        if one.destination.pause_kind:
            screen.print(plain(_pause_line(one.destination, now)), soft_wrap=True)
    for title, counts in (
        ("Conversations with problems", found.problems),
        ("Events kept without consequence", found.kept),
    ):
        if counts:
            screen.print(table(title, ("How many", "Why"), [(count, why) for why, count in counts]))
    if broken:
        rows = [(report.name, report.state, report.reason) for report in broken]
        screen.print(table("Broken plugins", ("Plugin", "State", "Reason"), rows))
    for need in wanted:
        screen.print(plain(need, "red"), soft_wrap=True)


def _reading_line(reading: ReadingBacklog, now: float) -> str:
    """Describe the backlog of conversations to read, without the polls of running ones."""
    parts = [f"{reading.waiting} to read"]
    if reading.failed:
        parts.append(f"{reading.failed} of them failed and are read again")
    if reading.oldest is not None:
        parts.append(f"the oldest due {age(reading.oldest, now)}")
    if reading.later:
        parts.append(f"{reading.later} more are scheduled for later")
    return ", ".join(parts)


_COUNTED = {
    "Due": DeliveryState.DUE,
    "Parked": DeliveryState.PARKED,
    "Dead": DeliveryState.DEAD,
    "Delivered": DeliveryState.DELIVERED,
    "Skipped": DeliveryState.SKIPPED,
    "Discarded": DeliveryState.DISCARDED,
}


_ALWAYS = ("Due", "Dead", "Delivered")


def _is_there(found: Status, state: DeliveryState) -> bool:
    return any(one.deliveries[state] for one in found.destinations)


def _row(one: DestinationStatus, counted: list[str], now: float) -> tuple[object, ...]:
    state = one.destination
    return (
        state.name,
        *(one.deliveries[_COUNTED[name]] for name in counted),
        age(one.queue.oldest, now),
        age(state.last_success_at, now),
    )


def _pause_line(state: DestinationState, now: float) -> str:
    if state.paused_until is None:
        until = "until it is resumed"
    else:
        until = f"resumes {age(state.paused_until, now)}" if state.paused_until > now else "resumes now"
    return f"{state.name} is paused ({state.pause_kind}), {until}: {state.pause_reason}"


def _as_json(found: Status, broken: list[PluginReport], wanted: list[str]) -> dict[str, Any]:
    return {
        "at": iso(time.time()),
        "events": found.events,
        "conversations": found.conversations,
        "reading": {
            "waiting": found.reading.waiting,
            "due": found.reading.due,
            "failed": found.reading.failed,
            "later": found.reading.later,
            "oldest": iso(found.reading.oldest),
        },
        "destinations": [
            {
                "name": one.destination.name,
                "deliveries": dict(one.deliveries),
                "queue": _queue(one.queue),
                "last_success_at": iso(one.destination.last_success_at),
                "paused": _paused(one.destination),
            }
            for one in found.destinations
        ],
        "problems": [{"reason": why, "conversations": count} for why, count in found.problems],
        "kept_events": [{"reason": why, "events": count} for why, count in found.kept],
        "broken_plugins": [asdict(report) for report in broken],
        "needs": wanted,
    }


def _queue(queue: Queue) -> dict[str, Any]:
    return {"waiting": queue.waiting, "oldest": iso(queue.oldest)}


def _paused(state: DestinationState) -> dict[str, Any] | None:
    if state.pause_kind is None:
        return None
    return {"as": state.pause_kind, "reason": state.pause_reason, "until": iso(state.paused_until)}
