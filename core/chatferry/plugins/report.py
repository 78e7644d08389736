"""What ``chatferry plugins`` shows of each plugin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PluginState(StrEnum):
    """``broken``: it failed; ``refused``: chatferry does not load it; ``hung``: a call has not returned."""

    OK = "ok"
    BROKEN = "broken"
    REFUSED = "refused"
    DISABLED = "disabled"
    HUNG = "hung"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """One plugin: its distribution, the hooks it implements, its state and why.

    ``window`` is the range of chatferry versions its distribution requires. ``reason`` is set for
    every state but ``ok``; there it is the latest failure of a hook, if one failed.
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
