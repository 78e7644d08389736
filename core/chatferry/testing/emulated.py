"""A harness for a CRM that has an emulator: real HTTP on loopback, faults from its board."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from flask import Flask

from chatferry.emulators import Emulator, FaultBoard, Server
from chatferry.testing.harness import Harness
from chatferry.testing.network_trouble import SILENCES, NetworkTrouble
from chatferry.testing.trouble import Trouble


class EmulatorHarness(Harness):
    """Serves the connector's emulator, ``self.app``, at ``self.url`` and misbehaves through its faults.

    It implements the two time-outs itself: they last until ``behave``, unlike the faults of emulators.

    :cvar emulator: the emulator the plugin registers.
    :cvar troubles: the emulator's fault for each trouble; ``"rate_limit"``, or with a value,
        ``"rate_limit=30"``.
    """

    emulator: ClassVar[Emulator]
    troubles: ClassVar[Mapping[Trouble, str]] = {}
    built_in = SILENCES

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.board: FaultBoard = self.emulator.board()
        self.app: Flask = self.emulator.create(faults=self.board, **self.options())
        self.silence = NetworkTrouble(self.app.wsgi_app)
        self.app.wsgi_app = self.silence  # type: ignore[method-assign, assignment]
        self.server = Server(self.app).start()

    @property
    def url(self) -> str:
        """Where the emulator listens, without a slash at the end."""
        return self.server.url

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return the destination's settings, with ``self.url`` in the place of the CRM's."""

    def options(self) -> Mapping[str, Any]:
        """Return what the emulator is made with, beside its faults."""
        return {}

    def misbehave(self, trouble: Trouble, *, times: int | None = None, key: str | None = None) -> None:
        """Switch on the emulator's fault for the trouble; the key becomes its value if it has none."""
        if trouble in SILENCES:
            self.silence.begin(trouble, times=times, key=key)
            return
        fault = self.troubles[trouble]
        if key is not None and "=" not in fault:
            fault = f"{fault}={key}"
        self.board.switch_on(fault if times is None else f"{fault}:x{times}")

    def behave(self) -> None:
        """Switch all faults off, and end the silence."""
        self.silence.end()
        self.board.switch_off()

    def close(self) -> None:
        """Stop the server."""
        self.silence.end()
        self.server.stop()
