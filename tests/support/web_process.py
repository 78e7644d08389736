"""``chatferry serve --web-only`` in a process group of its own, for tests over real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from private_values import IADVIZE_PASSWORD, IADVIZE_USER, WEBHOOK_SECRET, refuse_private

from chatferry.emulators.iadvize import signature
from chatferry.ledger import Ledger

JSON = {"Content-Type": "application/json"}
WELL_FORMED = "sha256=" + "0" * 64
"""A signature that only a look at the body can refuse."""
PATIENCE = 90.0
"""Seconds after which what should happen has failed to."""
CONFIGURATION = """
database = "sqlite:///ledger.db"
[web]
port = {port}
body_limit = 100_000
{more}
[iadvize]
secrets = ["env:IADVIZE_SECRET"]
[[iadvize.clients]]
platform = "ha"
client_id = 335
username = "env:IADVIZE_USER"
password = "env:IADVIZE_PASSWORD"
api_url = "http://127.0.0.1:9"
[destinations]
"""


def event(**changes: object) -> bytes:
    """An event's body."""
    body = {
        "eventId": str(uuid.uuid4()),
        "eventType": "v2.conversation.closed",
        "platform": "ha",
        "clientId": 335,
        "projectId": 1549,
        "conversationId": str(uuid.uuid4()),
    }
    return json.dumps({**body, **changes}).encode()


def signed(raw: bytes) -> str:
    """The signature of a body."""
    return signature(WEBHOOK_SECRET, raw)


class Web:
    """A server in a process group of its own.

    :param more: lines of its ``[web]`` table.
    """

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "chatferry.toml").write_text(CONFIGURATION.format(port=self.port, more=more))
        names = {
            "IADVIZE_SECRET": WEBHOOK_SECRET,
            "IADVIZE_USER": IADVIZE_USER,
            "IADVIZE_PASSWORD": IADVIZE_PASSWORD,
        }
        with (folder / "log.txt").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chatferry", "serve", "--web-only"],
                cwd=folder,
                env={**os.environ, **names},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def until(self, happens: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happens():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def ready(self) -> Web:
        self.until(lambda: self.get("/readyz") == 200)
        return self

    def get(self, path: str) -> int | None:
        try:
            return requests.get(self.url + path, timeout=30).status_code
        except requests.ConnectionError:
            return None

    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def lines(self, event: str) -> list[str]:
        """The log's lines of a kind."""
        return [line for line in self.log().splitlines() if event in line]

    def post(self, raw: bytes, *, in_chunks: bool = False, **headers: str) -> requests.Response:
        """Post a body with a good signature; a header that is empty is left out."""
        all_of_them = {"X-iAdvize-Signature": signed(raw), **JSON, **headers}
        sent = {name.replace("_", "-"): value for name, value in all_of_them.items() if value}
        return requests.post(
            f"{self.url}/webhooks/iadvize", data=iter([raw]) if in_chunks else raw, headers=sent, timeout=60
        )

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Open a connection and send something."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        made.sendall(sent)
        return made

    def events(self) -> int:
        ledger = Ledger(f"sqlite:///{self.folder}/ledger.db")
        try:
            return ledger.status(time.time()).events
        finally:
            ledger.close()

    def kept(self) -> dict[str, int]:
        ledger = Ledger(f"sqlite:///{self.folder}/ledger.db")
        try:
            return dict(ledger.status(time.time()).kept)
        finally:
            ledger.close()

    def processes(self) -> list[int]:
        """The server's processes."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "-g", str(self.process.pid)], capture_output=True, text=True, check=True
        )
        return [int(pid) for pid in listed.stdout.split()]

    def web_process(self) -> int:
        """The process that answers."""
        for pid in self.processes():
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        raise AssertionError(self.log())

    def stop(self) -> int:
        """End it as an operator does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)
        refuse_private(self.log())


@contextmanager
def web_server(folder: Path, more: str = "") -> Iterator[Web]:
    """Run a server for a while."""
    server = Web(folder, more)
    try:
        yield server.ready()
    finally:
        server.close()


def head(*lines: str, path: str = "/webhooks/iadvize") -> bytes:
    """The head of a webhook, with a well-formed signature unless ``lines`` bring one."""
    given = {line.partition(":")[0].lower() for line in lines}
    usual = {"Host": "x", "Content-Type": "application/json", "X-iAdvize-Signature": WELL_FORMED}
    own = [f"{name}: {value}" for name, value in usual.items() if name.lower() not in given]
    written = [line for line in lines if not line.endswith(":")]
    return "\r\n".join([f"POST {path} HTTP/1.1", *own, *written, "", ""]).encode()


def answer_of(connection: socket.socket) -> bytes:
    """What comes back until the server has nothing more to say; empty if it only hangs up."""
    found = b""
    with suppress(ConnectionResetError):
        while b"\r\n\r\n" not in found or not _is_whole(found):
            part = connection.recv(65_536)
            if not part:
                break
            found += part
    return found


def _is_whole(answer: bytes) -> bool:
    start, _, body = answer.partition(b"\r\n\r\n")
    _, _, length = start.lower().partition(b"content-length:")
    return len(body) >= int(length.split(b"\r\n")[0] or 0)
