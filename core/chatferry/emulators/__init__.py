"""Stand-ins for the platforms chatferry talks to, to develop, demonstrate and test against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatferry.emulators.emulator import Emulator
from chatferry.emulators.faults import Fault, FaultBoard

if TYPE_CHECKING:
    from chatferry.emulators.server import Server

__all__ = ["Emulator", "Fault", "FaultBoard", "Server"]


def __getattr__(name: str) -> Any:
    """Import the server lazily: it needs Flask, which most users of this package do not."""
    if name != "Server":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from chatferry.emulators.server import Server  # noqa: PLC0415  (see above)

    return Server
