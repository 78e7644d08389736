"""The HubSpot connector and emulator of chatferry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatferry import Connector, hookimpl

if TYPE_CHECKING:
    import click

    from chatferry.emulators import Emulator


@hookimpl
def register_connectors() -> Sequence[type[Connector]]:
    """Offer the connector."""
    from chatferry_hubspot.connector import HubSpot  # noqa: PLC0415  (the package's own modules stay light)

    return [HubSpot]


@hookimpl
def register_emulators() -> Sequence[Emulator]:
    """Offer the stand-in for HubSpot."""
    from chatferry_hubspot.emulator import EMULATOR  # noqa: PLC0415  (not needed on a normal run)

    return [EMULATOR]


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``chatferry hubspot``."""
    from chatferry_hubspot.commands import hubspot  # noqa: PLC0415  (only the command line needs it)

    cli.add_command(hubspot)
