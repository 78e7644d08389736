"""A thread that publishes the changed rows of large files in batches."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from chatferry import DeliveryError

_log = logging.getLogger(__name__)
_RETRY_AFTER = 30.0


class Publisher:
    """Calls ``publish`` after :meth:`notify`, and again as long as it returns a delay."""

    def __init__(self, name: str, publish: Callable[[], float | None], delay: float) -> None:
        self._name = name
        self._publish = publish
        self._delay = delay
        self._notified = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble = ""
        """Why the last attempt failed, until one succeeds."""

    def notify(self) -> None:
        """Note that there may be something to publish; return at once."""
        self._notified.set()
        if self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let a running publication finish, and end the thread."""
        self._stopping.set()
        self._notified.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        pause: float | None = None
        while True:
            if pause is None:
                self._notified.wait()
                self._notified.clear()
                pause = self._delay
            if self._stopping.wait(pause):
                return
            pause = self._attempt()

    def _attempt(self) -> float | None:
        try:
            pause = self._publish()
        except DeliveryError as error:
            self._report(error.message)
        except Exception as error:  # noqa: BLE001  (nothing would be published after the thread died)
            self._report(f"an unexpected {type(error).__name__}")
        else:
            self.trouble = ""
            return pause
        return _RETRY_AFTER

    def _report(self, trouble: str) -> None:
        if trouble != self.trouble:
            _log.warning("changed rows are not published yet: %s", trouble)
        self.trouble = trouble
