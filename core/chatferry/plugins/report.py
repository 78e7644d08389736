"""What ``chatferry plugins`` shows of each plugin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PluginState(StrEnum):
    """How a plugin is: ``broken`` is its fault, ``refused`` is ours, ``hung`` does not come back."""

    OK = "ok"
    BROKEN = "broken"
    REFUSED = "refused"
    DISABLED = "disabled"
    HUNG = "hung"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """One plugin: where it comes from, what it implements, how it is and why.

    ``window`` is the range of chatferry versions its distribution asks for. ``reason`` is set for
    every state but ``ok``; there it tells the latest failure of a hook, if one failed.
    """

    name: str
    distribution: str = ""
    version: str = ""
    hooks: tuple[str, ...] = ()
    window: str = ""
    state: PluginState = PluginState.OK
    reason: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, [f"plugin {self.name} is {self.state}", self.reason]))
