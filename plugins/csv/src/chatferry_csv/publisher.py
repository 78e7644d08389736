"""A thread that shows the changes of large files, when it is their turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from chatferry import DeliveryError

_log = logging.getLogger(__name__)
_AFTER_TROUBLE = 30.0


class Publisher:
    """Calls ``publish`` once something was announced, and again as long as it names a delay."""

    def __init__(self, name: str, publish: Callable[[], float | None], linger: float) -> None:
        self._name = name
        self._publish = publish
        self._linger = linger
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble = ""
        """Why the last attempt failed, until one succeeds."""

    def announce(self) -> None:
        """Say that there may be something to publish; returns at once."""
        self._wanted.set()
        if self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Finish what runs and end."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        pause: float | None = None
        while True:
            if pause is None:
                self._wanted.wait()
                self._wanted.clear()
                pause = self._linger
            if self._stopping.wait(pause):
                return
            pause = self._attempt()

    def _attempt(self) -> float | None:
        try:
            pause = self._publish()
        except DeliveryError as error:
            self._report(error.message)
        except Exception as error:  # noqa: BLE001  (a thread that dies would publish nothing ever again)
            self._report(f"an unforeseen {type(error).__name__}")
        else:
            self.trouble = ""
            return pause
        return _AFTER_TROUBLE

    def _report(self, trouble: str) -> None:
        if trouble != self.trouble:
            _log.warning("changed rows wait to be shown: %s", trouble)
        self.trouble = trouble
