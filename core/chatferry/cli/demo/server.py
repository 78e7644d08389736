"""The real server of a demonstration: ``chatferry serve`` as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from chatferry.errors import ChatferryError

_START = 60.0
"""Seconds a start may take on a slow machine."""
_STOP = 30.0
_LAST_LINES = 5


class DemoFailed(ChatferryError):
    """The demonstration could not be carried through."""


def free_port() -> int:
    """Return a port that is free at present."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class DemoServer:
    """Runs ``chatferry serve`` while the block lasts; what it logs goes to a file.

    :param environ: the variables that the configuration's secret references name.
    :param pause: sleeps for some seconds; whatever it raises ends the start.
    """

    def __init__(
        self,
        config: Path,
        port: int,
        environ: Mapping[str, str],
        log: Path,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pause = pause
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._command: Sequence[str] = (
            *(sys.executable, "-P", "-m", "chatferry"),
            *("--config", str(config), "serve"),
        )
        # Only the demonstration's configuration counts: no CHATFERRY_ variable of the caller overrides it.
        ours = {name: value for name, value in os.environ.items() if not name.startswith("CHATFERRY_")}
        self._environ = {**ours, "NO_PROXY": "127.0.0.1,localhost", **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C reaches only this process, which then stops the server gracefully.
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter, our own arguments)
                self._command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def check(self) -> None:
        """Raise :class:`DemoFailed` if the server has ended."""
        if self._process is not None and self._process.poll() is not None:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
            logged = "\n".join(lines) or "it logged nothing"
            raise DemoFailed(
                f"chatferry serve ended with {self._process.returncode}; see {self.log}:\n{logged}"
            )

    def stop(self) -> None:
        """Stop the server gracefully; kill it if it does not end in time."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START
        with requests.Session() as session:
            session.trust_env = False
            while time.monotonic() < deadline:
                self.check()
                try:
                    if session.get(f"{self.url}/readyz", timeout=2).ok:
                        return
                except requests.RequestException:
                    self._pause(0.1)
        raise DemoFailed(f"chatferry serve did not begin to answer within {_START:g} s; see {self.log}")
