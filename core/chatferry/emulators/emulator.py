"""What ``register_emulators`` returns: an emulator of a platform, which ``chatferry emulate`` can run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from chatferry.emulators.faults import FaultBoard

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A named emulator.

    ``create`` makes its Flask application from a fault board and the values of ``options``, which
    ``chatferry emulate NAME`` offers beside its own (``--host``, ``--port``, ``--fault``,
    ``--latency``). ``faults`` says, per name, what misbehaviour ``--fault NAME[:RATE]`` switches on.
    """

    name: str
    summary: str
    create: Callable[..., Flask]
    """Called as ``create(faults=FaultBoard, **options)``."""
    faults: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[click.Option] = ()
    hints: Sequence[str] = ()
    """Lines printed at the start, with what to try; ``{url}`` becomes its address."""

    def board(self, *specifications: str, seed: int = 0) -> FaultBoard:
        """Return a board that knows this emulator's faults, with those specified switched on."""
        return FaultBoard(self.faults, specifications, seed=seed)
