"""The hooks, in the order of a run, and the two markers. This module is the whole contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from chatferry.connector import Connector
    from chatferry.emulators import Emulator
    from chatferry.errors import DeliveryError
    from chatferry.model import Conversation, Lead, Receipt
    from chatferry.strategy import Strategy

PROJECT = "chatferry"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's function as the implementation of the hook it is called like."""

# ---------------------------------------------------------------------------- at the start


@hookspec
def register_connectors() -> Sequence[type[Connector]]:
    """Name the connectors a plugin ships.

    Called once, when the plugins are loaded. Return the classes, not instances: the engine makes
    one instance a destination. A name that another plugin registered already refuses both.
    """
    raise NotImplementedError


@hookspec
def register_strategies() -> Sequence[type[Strategy]]:
    """Name the extraction strategies a plugin ships.

    Called once, when the plugins are loaded. Return the classes: the engine makes one instance a
    destination that lists the name. The built-in strategies come in through this hook too.
    """
    raise NotImplementedError


@hookspec
def register_emulators() -> Sequence[Emulator]:
    """Name the emulators a plugin ships, for ``chatferry emulate`` and for tests.

    Called when one is asked for, not on a normal run.
    """
    raise NotImplementedError


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the command line.

    Called when the command line starts; what is returned is ignored. Name the group after the
    plugin (``chatferry hubspot provision``).

    :param cli: the ``chatferry`` group itself.
    """


# --------------------------------------------------------------------------- during a sync


@hookspec(firstresult=True)
def veto_delivery(lead: Lead, destination: str) -> str | None:
    """Refuse a lead for a destination.

    Called before a delivery is queued. The first reason returned is kept with the decision and
    shown by ``chatferry why``; None consents. An exception is not a consent: the lead waits and
    is asked about again.

    :param lead: the lead, its records mapped for the destination.
    :param destination: the destination's name in ``chatferry.toml``.
    """
    raise NotImplementedError


@hookspec
def conversation_synced(conversation: Conversation) -> None:
    """Hear of a conversation that was read, after its deliveries are queued.

    What is returned is ignored; an exception is logged under the plugin's name and swallowed.

    :param conversation: as it was parsed.
    """


# ----------------------------------------------------------------------- after a delivery


@hookspec
def delivery_succeeded(lead: Lead, destination: str, receipt: Receipt) -> None:
    """Hear of a lead a CRM has taken, after the ledger knows.

    What is returned is ignored; an exception is logged under the plugin's name and swallowed.

    :param receipt: what the CRM said.
    """


@hookspec
def delivery_failed(lead: Lead, destination: str, error: DeliveryError, dead: bool) -> None:  # noqa: FBT001  (hooks are called by keyword)
    """Hear of a lead a CRM has not taken, after the ledger knows.

    What is returned is ignored; an exception is logged under the plugin's name and swallowed.

    :param dead: whether chatferry has given up on it until an operator revives it.
    """


# --------------------------------------------------------------------- around the engine


@hookspec
def engine_started(destinations: Sequence[str]) -> None:
    """Hear that sync and deliver are about to run, with the names of the destinations.

    What is returned is ignored; an exception is logged under the plugin's name and swallowed.
    """


@hookspec
def engine_stopping() -> None:
    """Hear that what runs is being finished and nothing new will start.

    What is returned is ignored; an exception is logged under the plugin's name and swallowed.
    """
