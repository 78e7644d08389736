"""The built-in strategies, registered through the public hook like any plugin's."""

from __future__ import annotations

from collections.abc import Sequence

from chatferry.hookspecs import hookimpl
from chatferry.leads.strategies.contact import Contact
from chatferry.leads.strategies.markers import Markers
from chatferry.leads.strategies.profile import Profile
from chatferry.leads.strategies.transcript import Transcript
from chatferry.strategy import Strategy


@hookimpl
def register_strategies() -> Sequence[type[Strategy]]:
    """Return the four, in the order a destination uses them when it names none."""
    return (Markers, Profile, Contact, Transcript)
