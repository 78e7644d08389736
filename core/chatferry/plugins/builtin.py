"""The built-in plugin: strategies and the iAdvize emulator, registered through the public hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatferry.hookspecs import hookimpl
from chatferry.leads import strategies

if TYPE_CHECKING:
    from chatferry.emulators import Emulator

register_strategies = strategies.register_strategies


@hookimpl
def register_emulators() -> Sequence[Emulator]:
    """Register the iAdvize emulator, which is imported only when asked for: it needs graphql-core."""
    from chatferry.emulators.iadvize import EMULATOR  # noqa: PLC0415  (see above)

    return [EMULATOR]
