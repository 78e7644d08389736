"""``chatferry serve`` as an operator runs it, between emulated platforms, to be killed at any moment."""

from __future__ import annotations

import csv
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from private_values import IADVIZE_PASSWORD, IADVIZE_USER, WEBHOOK_SECRET, refuse_private

from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, Logins, WebhookSettings, create_app
from chatferry.leads.emails import usable_email
from chatferry.ledger import Ledger

PATIENCE = 120.0
"""Seconds after which something that should happen has failed to; nothing waits that long if all is well."""


def until(happens: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + patience
    while not happens():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience:g} s")
        time.sleep(0.05)


def free_port() -> int:
    """A free port, out of the range the system gives to connections: it stays free between runs."""
    while True:
        port = random.randint(12_000, 30_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Installation:
    """A folder with a configuration, an emulated iAdvize, and the processes that were started."""

    def __init__(self, folder: Path, *, database: str = "sqlite:///chatferry.db", seed: int = 7) -> None:
        self.folder = folder
        self.database = database
        self.port = free_port()
        webhooks = WebhookSettings(target=f"{self.url}/webhooks/iadvize", time_scale=2, timeout=20)
        logins = Logins(per_user=10_000, per_address=10_000)
        self.world = IAdvizeWorld(seed=seed, conversations=0, webhooks=webhooks, logins=logins)
        self.server = Server(create_app(self.world)).start()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.program: tuple[str, ...] = ("-m", "chatferry")
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHATFERRY_")},
            "IADVIZE_SECRET": WEBHOOK_SECRET,
            "IADVIZE_USER": IADVIZE_USER,
            "IADVIZE_PASSWORD": IADVIZE_PASSWORD,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(
        self, more: str = '[destinations.files]\nconnector = "csv"\n', *, reconcile: bool = False
    ) -> None:
        """Write the configuration; ``reconcile`` has the server compare at its start."""
        client = self.world.clients[0]
        (self.folder / "chatferry.toml").write_text(f"""
            database = "{self.database}"
            [web]
            port = {self.port}
            [iadvize]
            secrets = ["env:IADVIZE_SECRET"]
            [[iadvize.clients]]
            platform = "{client.platform}"
            client_id = {client.client_id}
            username = "env:IADVIZE_USER"
            password = "env:IADVIZE_PASSWORD"
            api_url = "{self.server.url}"
            timeout = 5
            [reconcile]
            at_start = {str(reconcile).lower()}
            every = 0
            {more}
        """)

    # ----------------------------------------------------------------------- processes

    def start(self, *command: str, standby: bool = False) -> subprocess.Popen[bytes]:
        """Run a command of chatferry in the background, in a process group of its own.

        :param standby: whether it only loads and then waits for its ``stdin`` to be closed.
        """
        with (self.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *self.program, *command],
                cwd=self.folder,
                env={**self.environ, "STANDBY": "yes"} if standby else self.environ,
                stdin=subprocess.PIPE if standby else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def command(self, *command: str) -> str:
        """Run a command of chatferry to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "chatferry", *command],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        refuse_private(done.stderr)
        return done.stdout

    def serve(self, *options: str) -> subprocess.Popen[bytes]:
        """Start the server and return when it is ready."""
        process = self.start("serve", *options)
        until(lambda: process.poll() is not None or self.is_ready, "the server answers")
        assert process.poll() is None, self.log
        return process

    @property
    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a process and all it started, as a loss of power would."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)

    # ---------------------------------------------------------------------- what came of it

    def acknowledged(self) -> set[str]:
        """The keys of the conversations whose close was acknowledged."""
        return {self.key(one) for one in self.world.acknowledged()}

    def key(self, conversation_id: str) -> str:
        client, _ = self.world.place_of(conversation_id)
        return f"{client.platform}-{client.client_id}-{conversation_id}"

    def rows(self, name: str = "conversations.csv") -> list[dict[str, str]]:
        path = self.folder / name
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def mistakes(self, key: str, held: Mapping[str, str]) -> dict[str, str]:
        """Return those fields of a conversation's record that do not hold what is true, as they are held."""
        truth = self.world.truth(key.split("-", 2)[2])
        expected = {
            "email": [usable_email(truth.email) or ""],
            "channel": [truth.channel],
            "language": [truth.language],
            **{name: answer.values for name, answer in truth.answers.items()},
            **{name: [""] for name in truth.unanswered if name not in truth.files_only},
        }
        return {
            name: held[name]
            for name, values in expected.items()
            if name in held and _plain(held[name]) not in map(_plain, values)
        }

    @property
    def ledger_url(self) -> str:
        return self.database.replace("sqlite:///", f"sqlite:///{self.folder}/")

    wait = staticmethod(until)

    def pause(self, seconds: float) -> None:
        """Let things happen for a while; nothing is expected of it."""
        self.world.closing.wait(seconds)

    def until_acknowledged(self, count: int) -> None:
        """Wait until so many closes are acknowledged."""
        until(lambda: len(self.world.acknowledged()) >= count, f"{count} closes are acknowledged")

    def until_rows(self, count: int) -> None:
        """Wait until the file shows so many rows: it lags behind what is delivered."""
        until(lambda: len(self.rows()) >= count, f"{count} rows are shown")

    def until_delivered(self, patience: float = PATIENCE) -> None:
        """Wait until nothing is due any more: no conversation to be read, no lead on its way."""
        try:
            with closing(Ledger(self.ledger_url)) as ledger:
                until(lambda: not _waits(ledger), "everything is delivered", patience)
        except AssertionError as error:
            ended = [process.args for process in self.processes if process.poll() is not None]
            status, log = self.command("status"), self.log[-20_000:]
            raise AssertionError(f"{error}\n{status}\nended: {ended}\n{log}") from None

    def known(self) -> set[str]:
        """The keys of the conversations the ledger holds."""
        rows = self.ask("SELECT platform, client_id, conversation_id FROM conversations")
        return {"-".join(map(str, row)) for row in rows}

    def forgotten(self) -> list[tuple[Any, ...]]:
        """The conversations that will not be read although they were not since their close was announced."""
        return self.ask(
            "SELECT conversation_id, problem FROM conversations WHERE close_announced_at IS NOT NULL"
            " AND due_at IS NULL AND (synced_at IS NULL OR synced_at < close_announced_at)"
        )

    def paused(self, *, longer_than: float) -> list[tuple[Any, ...]]:
        """The destinations that stay paused for so many seconds from now on, why, and until when."""
        query = "SELECT name, pause_kind, paused_until FROM destinations WHERE paused_until IS NOT NULL"
        return [row for row in self.ask(query) if row[-1] > time.time() + longer_than]

    def dead(self, destination: str) -> dict[str, str]:
        """The reasons of a destination's dead deliveries, by their keys."""
        rows = self.ask("SELECT destination, key, reason FROM deliveries WHERE state = 'dead'")
        return {key: reason for name, key, reason in rows if name == destination}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return rows of the ledger."""
        with closing(Ledger(self.ledger_url)) as ledger, ledger.database.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def close(self) -> None:
        for process in self.processes:
            self.kill(process)
        self.world.close()
        self.server.stop()
        if self.processes:
            refuse_private(self.log)


def _plain(text: str) -> str:
    """A text without white space at the ends of lines, and without what defuses a formula."""
    return "\n".join(line.strip() for line in text.lstrip("'").splitlines())


def _waits(ledger: Ledger) -> int:
    """Count conversations and deliveries with something to do, now or later."""
    with ledger.database.read() as connection:
        query = (
            "SELECT (SELECT count(*) FROM conversations WHERE due_at IS NOT NULL)"
            " + (SELECT count(*) FROM deliveries WHERE due_at IS NOT NULL)"
        )
        return int(connection.exec_driver_sql(query).scalar_one())


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Make installations that are gone with the test, processes and all."""
    made: list[Installation] = []

    def make(**options: Any) -> Installation:
        made.append(Installation(tmp_path, **options))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            one.close()
