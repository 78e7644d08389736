"""Which deliveries a command means: by number, or by the same options everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from chatferry.cli.workspace import Workspace
from chatferry.engine import Engine
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import DeliveryState

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--state",
        "states",
        multiple=True,
        type=click.Choice([state.value for state in DeliveryState]),
        help="In this state; repeatable.",
    ),
    click.option("--destination", help="To this destination."),
    click.option("--project", type=int, help="Of this iAdvize project."),
    click.option("--email", help="Of this person."),
    click.option("--conversation", help="Of this conversation: iAdvize's id or the delivery's key."),
    click.option("--cause", help="Whose reason or error code contains this."),
)


def filter_options(command: F) -> F:
    """Add the options that choose deliveries; :func:`selection_of` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def selection_of(filters: dict[str, Any], ids: tuple[int, ...] = ()) -> Selection:
    """Return what the options choose."""
    return Selection(
        ids=ids,
        states=tuple(DeliveryState(state) for state in filters["states"]),
        destination=filters["destination"],
        project_id=filters["project"],
        email=filters["email"],
        conversation=filters["conversation"],
        cause=filters["cause"],
    )


def require_known(workspace: Workspace, name: str | None) -> None:
    """Check that there is, or was, a destination of a name that a filter gives.

    :raises UsageError: if there never was.
    """
    if name is None:
        return
    known = sorted({*workspace.settings.destinations, *workspace.ledger.destinations.states()})
    if name not in known:
        raise click.UsageError(f'there is no destination "{name}"; there are: {", ".join(known) or "none"}')


def require_destination(engine: Engine, name: str) -> None:
    """Check that a destination is configured, whether it is served or not.

    :raises UsageError: if it is not.
    """
    known = [*engine.destinations, *engine.unserved]
    if name not in known:
        raise click.UsageError(f'there is no destination "{name}"; there are: {", ".join(known)}')


def is_everything(selection: Selection) -> bool:
    """Whether nothing was chosen at all."""
    return selection == Selection()
