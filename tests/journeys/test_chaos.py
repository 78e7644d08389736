"""Everything goes wrong at once, by chance and by a seed: nothing may be missing, double or stuck.

``pytest tests/journeys/test_chaos.py --chaos 10000 --chaos-seed 5 -s`` plays a long run, and a known one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from chatferry.emulators import Server

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
access_token = "env:HUBSPOT_TOKEN"
base_url = "{url}"
timeout = 1
"""
WEBHOOK_FAULTS = ("duplicate:0.2", "reordered=0.5:0.2", "dropped:0.05", "bad-signature:0.05")
KEY_FAULTS = ("token-revoked", "unauthorized")
"""One at a time: two refusals in a row are wrong credentials, and those rest for five minutes."""
IADVIZE_FAULTS = (
    "login-limited=1",
    "rate-limited=1",
    "server-error",
    "server-error=503",
    "server-error-html",
    "slow=0.2",
    "hang=1",
    "reset",
    "truncated",
    "html",
    "garbage",
    "graphql-errors",
    "graphql-refused",
    "document-too-large=3",
    "late-data",
    "late-close",
    "erased",
    "no-messages",
    "newest-first",
)
WAITING = {"slow": "0.2", "timeout-before-commit": "2", "timeout-after-commit": "2", "477": "1"}
HUBSPOT_FAULTS = tuple(
    f"{name}={WAITING[name]}" if name in WAITING else f"{name}=1" if name.startswith("429") else name
    for name in hubspot.EMULATOR.faults
    if not name.startswith("oauth")
)


class HubSpot:
    """An emulated account that is set up for chatferry."""

    def __init__(self, seed: int) -> None:
        self.board = hubspot.EMULATOR.board(seed=seed)
        limits = {"burst": 1_000_000, "daily": 1_000_000_000}
        self.server = Server(hubspot.EMULATOR.create(faults=self.board, seed=seed, **limits)).start()

    def keys(self) -> list[str]:
        """The keys of the conversations the account holds."""
        records = requests.get(f"{self.server.url}/_emulator/state", timeout=60).json()["records"]
        live = [one["properties"] for kind in records.values() for one in kind if not one["archived"]]
        return [key for one in live if (key := one.get("conversation_id"))]

    def addresses(self) -> list[str]:
        records = requests.get(f"{self.server.url}/_emulator/state", timeout=60).json()["records"]
        live = [one["properties"] for one in records.get("contacts", ()) if not one["archived"]]
        return [address for one in live if (address := one.get("email"))]


@pytest.fixture
def crm(request: pytest.FixtureRequest) -> Iterator[HubSpot]:
    account = HubSpot(request.config.getoption("--chaos-seed"))
    yield account
    account.server.stop()


@pytest.fixture
def here(request, install, crm, ledger_url, tmp_path):
    seed = request.config.getoption("--chaos-seed")
    made = install(database=ledger_url.replace(f"{tmp_path}/", ""), seed=seed)
    made.environ["HUBSPOT_TOKEN"] = "pat-emulator"
    made.configure(CONFIGURATION.format(url=crm.server.url))
    made.command("hubspot", "provision", "crm", "--yes")
    return made


def test_nothing_is_missing_double_or_stuck_whatever_happens(request, here, crm):
    count, seed = request.config.getoption("--chaos"), request.config.getoption("--chaos-seed")
    print(f"--chaos {count} --chaos-seed {seed}")  # noqa: T201  (pytest shows it when the run fails)
    chance = random.Random(seed)
    commands = {"server": ("serve", "--web-only"), "one": ("worker",), "two": ("worker",)}
    if here.database.startswith("sqlite"):
        commands = {"server": ("serve",), "one": ("worker",)}
    running = {name: here.start(*command) for name, command in commands.items()}
    here.wait(lambda: here.is_ready, "the server answers")
    for fault in WEBHOOK_FAULTS:
        here.world.faults.switch_on(fault)
    rounds = 3 + count // 200
    for number in range(rounds):
        here.world.faults.switch_off(*KEY_FAULTS)
        here.world.faults.switch_on(f"{chance.choice(KEY_FAULTS)}:x1")
        for fault in chance.sample(IADVIZE_FAULTS, 4):
            here.world.faults.switch_on(f"{fault}:x{chance.randint(1, 3)}")
        for fault in chance.sample(HUBSPOT_FAULTS, 6):
            crm.board.switch_on(f"{fault}:x{chance.randint(1, 2)}")
        here.wait(lambda: here.is_ready, "the server answers")
        share = count // rounds if number else count - count // rounds * (rounds - 1)
        enough = len(here.acknowledged()) + int(share * chance.uniform(0.1, 0.6))
        playing = here.world.play_in_background(share)
        here.until_acknowledged(enough)
        victim = chance.choice(list(commands))
        here.kill(running[victim])
        running[victim] = here.start(*commands[victim])
        playing.join()
    here.world.faults.switch_off()
    crm.board.switch_off()
    here.wait(lambda: here.is_ready, "the server answers again")
    assert here.world.settle(60)
    acknowledged = here.acknowledged()
    assert acknowledged - here.known() == set()
    # What iAdvize has not shown for four times is read again after five minutes; this does it at once.
    here.command("reconcile", "--since", "1h")
    here.operate("crm", "files")

    here.wait(lambda: acknowledged <= {row["key"] for row in here.rows()}, "every row is shown")
    rows = Counter(row["key"] for row in here.rows())
    held = Counter(crm.keys())
    assert len(acknowledged) > count / 3
    assert acknowledged - held.keys() == set()
    assert [key for key, times in rows.items() if times > 1] == []
    assert [key for key, times in held.items() if times > 1] == []
    assert max(Counter(crm.addresses()).values()) == 1
    assert set(here.dead().values()) <= {0}
