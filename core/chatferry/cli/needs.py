"""What needs an operator, for ``chatferry status``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from chatferry import schedule
from chatferry.cli.output import count_of
from chatferry.cli.times import span
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.destinations import DestinationState, PauseKind
from chatferry.ledger.status import DestinationStatus, Status
from chatferry.operations.timeline import unserved
from chatferry.plugins.report import PluginReport


def needs(
    found: Status, broken: Sequence[PluginReport], served: Collection[str], now: float
) -> Iterator[str]:
    """Say what needs an operator, and what to do.

    :param served: the destinations that are configured and enabled.
    """
    yield from _about_reading(found, now)
    for one in found.destinations:
        name, dead, due = (
            one.destination.name,
            one.deliveries[DeliveryState.DEAD],
            one.deliveries[DeliveryState.DUE],
        )
        if dead:
            yield f"{name}: {dead} dead; see chatferry deliveries --state dead --destination {name}"
        if due and name not in served:
            discard = f"chatferry discard --state due --destination {name}"
            yield f"{name}: {due} wait, but {unserved(name)} {discard}"
        yield from _about_destination(one.destination)
        yield from _about_failing(one, now)
    for report in broken:
        yield str(report)


def _about_reading(found: Status, now: float) -> Iterator[str]:
    given_up = sum(count for why, count in found.problems if why.startswith(schedule.GIVEN_UP))
    if given_up:
        again = "once the cause is fixed, chatferry reconcile queues them to be read again"
        yield f"{count_of(given_up, 'conversation')} given up, the log says which; {again}"
    for why, count in found.problems:
        if why.startswith(schedule.REFUSED):
            yield f"{count_of(count, 'conversation')} waiting: {why.removeprefix(schedule.REFUSED)}"
    reading = found.reading
    if _is_long(reading.failing_since, now):
        failing = span(now - (reading.failing_since or now))
        yield f"conversations cannot be read for {failing}; the problems say why, chatferry check looks at it"
    if _is_long(reading.idle_since, now):
        waiting = span(now - (reading.idle_since or now))
        what = count_of(reading.due, "conversation")
        yield f"{what} to be read, the oldest for {waiting}; is chatferry running?"


def _is_long(since: float | None, now: float) -> bool:
    return since is not None and now - since >= schedule.READ_BY


def _about_failing(one: DestinationStatus, now: float) -> Iterator[str]:
    """Say that a destination takes nothing: leads have failed for an hour, and none succeeded since."""
    since, last = one.failing_since, one.destination.last_success_at
    if since is not None and _is_long(since, now) and (last is None or last < since):
        name = one.destination.name
        yield (
            f"{name}: no lead was delivered for {span(now - since)}; chatferry deliveries --state due"
            f" --destination {name} says why"
        )


def _about_destination(state: DestinationState) -> Iterator[str]:
    name = state.name
    if state.pause_kind is PauseKind.CREDENTIALS:
        yield f"{name}: its credentials are refused; correct them, then chatferry destinations resume {name}"
    if state.pause_kind is PauseKind.HUNG and state.failures >= schedule.HUNG_BATCHES:
        yield f"{name}: its connector does not answer; if that lasts, restart chatferry"
