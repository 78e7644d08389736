"""Everything goes wrong at once, by chance and by a seed: nothing may be missing, double or stuck.

``pytest tests/journeys/test_chaos.py --chaos 10000 --chaos-seed 5 -s`` plays a long run, and a known one.
"""

from __future__ import annotations

import io
import json
import math
import random
import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN

from chatferry.emulators import FaultBoard, Server
from chatferry.emulators.iadvize.faults import GRAPHQL_FAULTS, HTTP_FAULTS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

pytest.importorskip("chatferry_csv", reason="one destination is CSV files")
hubspot = pytest.importorskip("chatferry_hubspot.emulator", reason="one destination is HubSpot")

CONFIGURATION = """
[retry]
first = 0.05
longest = 0.5
[live]
idle_interval = 1
[runner]
lease = 5
[destinations.files]
connector = "csv"
[destinations.crm]
connector = "hubspot"
[destinations.crm.settings]
client_id = "client-emulator"
client_secret = "env:HUBSPOT_SECRET"
refresh_token = "env:HUBSPOT_REFRESH_TOKEN"
base_url = "{url}"
timeout = 1
"""
WEBHOOK_FAULTS = ("duplicate:0.2", "reordered=0.5:0.2", "dropped:0.05", "bad-signature:0.05")
"""On all the time; all the others of the emulators' tables are switched on one after another."""
VALUES = {
    "slow": "0.2",
    "hang": "1",
    "login-limited": "1",
    "rate-limited": "1",
    "429-burst": "1",
    "429-secondly": "1",
    "document-too-large": "3",
    "timeout-before-commit": "2",
    "timeout-after-commit": "2",
}
"""For those that would take too long, or spare conversations that are this few."""
REFUSALS = ("400", "409", "414", "422")
"""A lead that meets one of these alone is dead at once, as it should be: until an operator retries it."""
LIES = ("erased", "no-visitor", "no-messages", "newest-first", "circular-pages", "endless-pages")
"""What iAdvize says then looks whole and is not true: fields are empty, or lines of one instant swapped."""


KEY = re.compile(rb"\b[a-z]{2}-\d+-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
"""The key of a conversation, wherever it stands in the body of a call."""


class Calls:
    """A WSGI middleware that keeps which keys every call to the account carried, and how it was answered."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self.kept: list[tuple[float, str, str, frozenset[bytes]]] = []

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        keys, at = frozenset(KEY.findall(body)), time.time()
        path = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"

        def respond(status: str, *rest: Any) -> Any:
            if keys or "schemas" in path:
                self.kept.append((at, path, f"{status} after {time.time() - at:.3f} s", keys))
            return start_response(status, *rest)

        return self.application(environ, respond)

    def about(self, key: str) -> list[str]:
        """Return the calls that carried a key, and those about the account's objects, oldest first."""
        return [
            f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f} {path}: {status}, {len(keys)} keys"
            for at, path, status, keys in self.kept
            if key.encode() in keys or not keys
        ]


class HubSpot:
    """An emulated account that is set up for chatferry."""

    def __init__(self, seed: int) -> None:
        self.board = hubspot.EMULATOR.board(seed=seed)
        limits = {"burst": 1_000_000, "daily": 1_000_000_000}
        application = hubspot.EMULATOR.create(faults=self.board, seed=seed, **limits)
        self.calls = application.wsgi_app = Calls(application.wsgi_app)
        self.server = Server(application).start()

    def state(self) -> Mapping[str, Any]:
        return requests.get(f"{self.server.url}/_emulator/state", timeout=60).json()

    def rows(self) -> list[dict[str, str]]:
        """The conversations the account holds, each with its contact's address."""
        state = self.state()
        live = [(one["id"], one["properties"]) for one in every(state["records"]) if not one["archived"]]
        found = dict(live)
        emails: dict[str, str] = {}
        for tie in state["associations"]:
            contact = found.get(tie["to"]["id"], {}) if tie["to"]["type"] == "contacts" else {}
            emails[tie["from"]["id"]] = emails.get(tie["from"]["id"]) or contact.get("email") or ""
        return [
            {**{name: value or "" for name, value in row.items()}, "email": emails.get(number, "")}
            for number, row in live
            if row.get("conversation_id")
        ]

    def addresses(self) -> list[str]:
        live = [one["properties"] for one in self.state()["records"]["contacts"] if not one["archived"]]
        return [address for one in live if (address := one.get("email"))]


def every(records: Mapping[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for some in records.values():
        yield from some


class FaultSchedule:
    """Switches the faults of a board on, every kind once before any comes again."""

    def __init__(
        self, chance: random.Random, board: FaultBoard, names: Mapping[str, str], rounds: int
    ) -> None:
        self.chance, self.board, self.names = chance, board, tuple(names)
        self.size = max(6, math.ceil(len(self.names) / rounds))
        self.order = self.shuffled()

    def shuffled(self) -> Iterator[str]:
        while True:
            yield from self.chance.sample(self.names, len(self.names))

    def switch_on_next(self) -> None:
        """Switch the next few faults on, each for a few requests."""
        for name in islice(self.order, self.size):
            value = f"={VALUES[name]}" if name in VALUES else ""
            self.board.switch_on(f"{name}{value}:x{self.chance.randint(1, 2)}")


@pytest.fixture
def crm(request: pytest.FixtureRequest) -> Iterator[HubSpot]:
    account = HubSpot(request.config.getoption("--chaos-seed"))
    yield account
    account.server.stop()


@pytest.fixture
def here(request, install, crm, ledger_url, tmp_path):
    seed = request.config.getoption("--chaos-seed")
    made = install(database=ledger_url.replace(f"{tmp_path}/", ""), seed=seed)
    made.program = (str(Path(__file__).with_name("hurried.py")),)
    made.environ |= {"HUBSPOT_SECRET": HUBSPOT_CLIENT_SECRET, "HUBSPOT_REFRESH_TOKEN": HUBSPOT_REFRESH_TOKEN}
    made.configure(CONFIGURATION.format(url=crm.server.url))
    made.command("hubspot", "provision", "crm", "--yes")
    return made


def play(here, crm, count: int, chance: random.Random) -> None:
    """Let conversations happen while everything goes wrong, round by round, and processes are killed."""
    commands = {"server": ("serve", "--web-only"), "one": ("worker",), "two": ("worker",)}
    if here.database.startswith("sqlite"):
        commands = {"server": ("serve",), "one": ("worker",)}
    running = {name: here.start(*command) for name, command in commands.items()}
    here.wait(lambda: here.is_ready, "the server answers")
    for fault in WEBHOOK_FAULTS:
        here.world.faults.switch_on(fault)
    rounds = 3 + count // 200
    schedules = [
        FaultSchedule(chance, here.world.faults, {**HTTP_FAULTS, **GRAPHQL_FAULTS}, rounds),
        FaultSchedule(chance, crm.board, hubspot.EMULATOR.faults, rounds),
    ]
    for number in range(rounds):
        for schedule in schedules:
            schedule.switch_on_next()
        here.wait(lambda: here.is_ready, "the server answers")
        share = count // rounds if number else count - count // rounds * (rounds - 1)
        enough = len(here.acknowledged()) + int(share * chance.uniform(0.1, 0.6))
        victim = chance.choice(list(commands))
        successor = here.start(*commands[victim], standby=True)
        playing = here.world.play_in_background(share)
        here.until_acknowledged(enough)
        here.kill(running[victim])
        successor.stdin.close()  # it is loaded by now: the shorter the absence, the more is at stake
        running[victim] = successor
        playing.join()
    here.wait(lambda: here.is_ready, "the server answers again")
    assert here.world.settle(60)


def missing(here, crm, keys: Collection[str]) -> str:
    """Say of conversations that the account should hold what the ledger, the account and the calls know."""
    told = []
    records = {one["id"]: (kind, one) for kind, some in crm.state()["records"].items() for one in some}
    for key in sorted(keys)[:5]:
        told.append(f"== {key}")
        found = here.ask(
            "SELECT destination, state, reason, version, delivered_version, attempts, queued_at, due_at,"
            f" delivered_at, receipt FROM deliveries WHERE key = '{key}'"
        )
        told += [str(row) for row in found]
        for *_, receipt in found:
            ids = json.loads(receipt)["ids"] if receipt else {}
            told += [f"  {name} {one}: {records.get(one, 'not there')!s:.1000}" for name, one in ids.items()]
        told += crm.calls.about(key)
    told += [str(row) for row in here.ask("SELECT destination, key, value FROM memories LIMIT 50")]
    return "\n".join(told)


def mistaken(here, rows: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The conversations that do not hold what is true."""
    found = []
    for key, row in rows.items():
        # The address a visitor gave in a conversation, this or another one, is theirs as well.
        given = here.world.performance(key.split("-", 2)[2]).script.person.typed_email
        if any(value != given for value in here.mistakes(key, row).values()):
            found.append(key)
    return found


@pytest.mark.slow
def test_nothing_is_missing_double_or_stuck_whatever_happens(request, here, crm):
    count, seed = request.config.getoption("--chaos"), request.config.getoption("--chaos-seed")
    print(f"--chaos {count} --chaos-seed {seed}")  # noqa: T201  (pytest shows it when the run fails)
    play(here, crm, count, random.Random(seed))

    # Without an operator: what was acknowledged arrives by itself, or the CRM has refused it and said why.
    acknowledged = here.acknowledged()
    print(f"acknowledged: {len(acknowledged)} of {count}")  # noqa: T201  (the same)
    assert len(acknowledged) > count / 3
    assert acknowledged - here.known() == set()
    assert here.paused(longer_than=60) == []
    here.until_delivered()
    struck = crm.board.struck | here.world.faults.struck
    kinds = {*crm.board.known, *here.world.faults.known}
    print("did not strike:", *sorted(kinds - struck.keys()))  # noqa: T201  (the same)
    here.world.faults.switch_off()
    crm.board.switch_off()
    assert here.forgotten() == []
    dead = here.dead("crm")
    assert len(dead) <= sum(struck.get(name, 0) for name in REFUSALS)
    assert here.dead("files") == {}
    here.wait(lambda: acknowledged <= {row["key"] for row in here.rows()}, "every row is shown")
    absent = acknowledged - dead.keys() - {row["conversation_id"] for row in crm.rows()}
    assert not absent, missing(here, crm, absent)

    # What no webhook named is found by a comparison, which may be shown too little once.
    here.world.faults.switch_on("late-search=3600:x1")
    for _ in range(2):
        here.command("reconcile", "--since", "1h")
    if dead:
        here.command("retry", "--all-dead", "--yes")
    here.until_delivered()
    everything = {here.key(one) for one in here.world.ids}
    here.wait(lambda: everything <= {row["key"] for row in here.rows()}, "every row is shown")
    rows, held = here.rows(), crm.rows()
    assert Counter(row["key"] for row in rows) == dict.fromkeys(everything, 1)
    assert Counter(row["conversation_id"] for row in held) == dict.fromkeys(everything, 1)
    assert max(Counter(crm.addresses()).values()) == 1
    assert here.dead("crm") == here.dead("files") == {}
    lies = sum(struck.get(name, 0) for name in LIES)
    for found in ({row["key"]: row for row in rows}, {row["conversation_id"]: row for row in held}):
        wrong = mistaken(here, found)
        assert len(wrong) <= lies, {key: sorted(here.mistakes(key, found[key])) for key in wrong}
    # Last, for a process that does nothing meets no fault; but faults that were never met prove nothing.
    assert len(struck) > 0.8 * len(kinds)
