"""granian's server, which says in our log what becomes of it and of its web process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from granian.server.mp import MPServer

from chatferry.logs import get_logger

_LOOK: Final = 0.05
"""Seconds between two looks at the port."""


class SupervisedServer(MPServer):
    """Log when the port accepts connections, when the web process was replaced, and when it all stops.

    :param serving: called once the port accepts connections for the first time.
    """

    def __init__(self, *, serving: Callable[[], None], **options: Any) -> None:
        super().__init__(**options)
        self._serving = serving
        self._stopping = threading.Event()
        self._log = get_logger("chatferry.web")

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        """Start the web process, and wait for it elsewhere."""
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]  # (granian has no types)
        self._once_it_accepts(self._serving)

    def shutdown(self, exit_code: int = 0) -> None:
        """End the web process."""
        self._stopping.set()
        if self.interrupt_children and not self.interrupt_signal:
            self._log.error("web process ended again soon after it was replaced")
        self._log.info("stopping")
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # (the same)

    def _respawn_workers(self, workers: Any, spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        codes = [self.wrks[index].inner.exitcode for index in workers]
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        self._once_it_accepts(lambda: self._log.warning("web process replaced", exit_code=codes[0]))

    def _once_it_accepts(self, then: Callable[[], None]) -> None:
        def wait() -> None:
            while not self._stopping.is_set():
                if self._accepts():
                    then()
                    return
                time.sleep(_LOOK)

        threading.Thread(target=wait, name="port-watch", daemon=True).start()

    def _accepts(self) -> bool:
        try:
            socket.create_connection((self.bind_addr, self.bind_port), 1).close()
        except OSError:
            return False
        return True
