"""The Salesforce emulator of chatferry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatferry import hookimpl

if TYPE_CHECKING:
    from chatferry.emulators import Emulator


@hookimpl
def register_emulators() -> Sequence[Emulator]:
    """Offer the stand-in for Salesforce."""
    from chatferry_salesforce.emulator import EMULATOR  # noqa: PLC0415  (not needed on a normal run)

    return [EMULATOR]
