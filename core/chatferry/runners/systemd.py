"""Tell systemd how the service is: that it is ready, that it is alive, that it stops (sd_notify)."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Self


class Notifier:
    """Sends states to the socket that systemd names; does nothing where there is none."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        every = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every = int(every) / 1e6 / 2 if every.isdigit() and ours else 0.0
        self._stop = threading.Event()
        self._watchdog: threading.Thread | None = None

    def ready(self, is_alive: Callable[[], bool]) -> Self:
        """Say that the service is ready, and from now on, while ``is_alive``, that it is alive."""
        self._send("READY=1")
        if self._address and self._every and self._watchdog is None:
            self._watchdog = threading.Thread(
                target=self._watch, args=(is_alive,), name="watchdog", daemon=True
            )
            self._watchdog.start()
        return self

    def stopping(self) -> None:
        """Say that the service stops by itself."""
        self._stop.set()
        self._send("STOPPING=1")

    def _watch(self, is_alive: Callable[[], bool]) -> None:
        while not self._stop.wait(self._every):
            if is_alive():
                self._send("WATCHDOG=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                sender.sendto(state.encode(), address)
            except OSError:
                return  # a service that cannot say how it is still serves
