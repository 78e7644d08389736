"""``chatferry status``: how things stand, and whether an operator is needed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any

import click

from chatferry import schedule
from chatferry.cli.hook_failures import hook_failures, sentence
from chatferry.cli.output import console, output_option, plain, print_json, table
from chatferry.cli.times import age, iso
from chatferry.cli.workspace import Workspace, not_served
from chatferry.ledger.decisions import State
from chatferry.ledger.destinations import DestinationState, Parked
from chatferry.ledger.status import DestinationStatus, Queue, Status
from chatferry.plugins.report import PluginReport
from chatferry.story import unserved


@click.command()
@output_option
@click.pass_obj
def status(workspace: Workspace, *, output: str) -> None:
    """Show what waits, what went wrong and what needs you.

    Exits with 1 if an operator is needed: deliveries are dead or wait for a destination that is not
    served, conversations were given up, credentials are refused, a connector hangs on, or a plugin is
    broken, leaves destinations unserved or failed in a hook within a day. Shows no personal data.
    """
    found = workspace.ledger.status(time.time())
    broken = list(workspace.installed.broken)
    enabled = [one.name for one in workspace.settings.destinations.values() if one.enabled]
    needs = [not_served(name, reason) for name, reason in workspace.unserved.items()]
    needs += _needs(found, broken, enabled)
    needs += map(sentence, hook_failures(workspace))
    if output == "json":
        print_json(_as_json(found, broken, needs))
    else:
        _show(found, broken, needs)
    if needs:
        raise click.exceptions.Exit(1)


def _needs(found: Status, broken: list[PluginReport], served: Collection[str]) -> Iterator[str]:
    """Say what needs an operator."""
    given_up = sum(count for why, count in found.problems if why.startswith(schedule.GIVEN_UP))
    if given_up:
        again = "chatferry reconcile has them read again"
        yield f"{given_up} conversations were given up, the log says which; if the cause is mended, {again}"
    for one in found.destinations:
        name, dead, due = one.destination.name, one.deliveries[State.DEAD], one.deliveries[State.DUE]
        if dead:
            yield f"{name}: {dead} dead; see chatferry deliveries --state dead --destination {name}"
        if due and name not in served:
            discard = f"chatferry discard --state due --destination {name}"
            yield f"{name}: {due} wait, but {unserved(name)} {discard}"
        yield from _about(one.destination)
    for report in broken:
        yield str(report)


def _about(state: DestinationState) -> Iterator[str]:
    name = state.name
    if state.parked_as is Parked.CREDENTIALS:
        yield f"{name}: its credentials are refused; mend them, then chatferry destinations wake {name}"
    if state.parked_as is Parked.HUNG and state.failures >= schedule.HANGS_ON:
        yield f"{name}: its connector does not answer; if that lasts, restart chatferry"


def _show(found: Status, broken: list[PluginReport], needs: list[str]) -> None:
    now = time.time()
    screen = console()
    oldest = f", the oldest due {age(found.reading.oldest, now)}" if found.reading.oldest else ""
    screen.print(
        f"{found.events} events, {found.conversations} conversations; {found.reading.waiting} to read{oldest}"
    )
    counted = [name for name in _COUNTED if name in _ALWAYS or _is_there(found, _COUNTED[name])]
    headings = ("Destination", *counted, "Oldest", "Last success")
    screen.print(table("", headings, [_row(one, counted, now) for one in found.destinations]))
    for one in found.destinations:
        if one.destination.parked_as:
            screen.print(plain(_rest(one.destination, now)), soft_wrap=True)
    for title, counts in (
        ("Conversations with problems", found.problems),
        ("Events kept without consequence", found.kept),
    ):
        if counts:
            screen.print(table(title, ("How many", "Why"), [(count, why) for why, count in counts]))
    if broken:
        rows = [(report.name, report.state, report.reason) for report in broken]
        screen.print(table("Broken plugins", ("Plugin", "State", "Reason"), rows))
    for need in needs:
        screen.print(plain(need, "red"), soft_wrap=True)


_COUNTED = {
    "Due": State.DUE,
    "Parked": State.PARKED,
    "Dead": State.DEAD,
    "Delivered": State.DELIVERED,
    "Skipped": State.SKIPPED,
    "Discarded": State.DISCARDED,
}


_ALWAYS = ("Due", "Dead", "Delivered")


def _is_there(found: Status, state: State) -> bool:
    return any(one.deliveries[state] for one in found.destinations)


def _row(one: DestinationStatus, counted: list[str], now: float) -> tuple[object, ...]:
    state = one.destination
    return (
        state.name,
        *(one.deliveries[_COUNTED[name]] for name in counted),
        age(one.queue.oldest, now),
        age(state.last_success_at, now),
    )


def _rest(state: DestinationState, now: float) -> str:
    if state.parked_until is None:
        until = "until it is woken"
    else:
        until = f"wakes {age(state.parked_until, now)}" if state.parked_until > now else "wakes now"
    return f"{state.name} rests ({state.parked_as}), {until}: {state.parked_reason}"


def _as_json(found: Status, broken: list[PluginReport], needs: list[str]) -> dict[str, Any]:
    return {
        "at": iso(time.time()),
        "events": found.events,
        "conversations": found.conversations,
        "reading": _queue(found.reading),
        "destinations": [
            {
                "name": one.destination.name,
                "deliveries": dict(one.deliveries),
                "queue": _queue(one.queue),
                "last_success_at": iso(one.destination.last_success_at),
                "parked": _parked(one.destination),
            }
            for one in found.destinations
        ],
        "problems": [{"reason": why, "conversations": count} for why, count in found.problems],
        "kept_events": [{"reason": why, "events": count} for why, count in found.kept],
        "broken_plugins": [asdict(report) for report in broken],
        "needs": needs,
    }


def _queue(queue: Queue) -> dict[str, Any]:
    return {"waiting": queue.waiting, "oldest": iso(queue.oldest)}


def _parked(state: DestinationState) -> dict[str, Any] | None:
    if state.parked_as is None:
        return None
    return {"as": state.parked_as, "reason": state.parked_reason, "until": iso(state.parked_until)}
