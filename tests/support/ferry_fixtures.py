"""An engine on a real ledger, beside an emulated iAdvize over HTTP and CRMs that do as a test says."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from private_values import IADVIZE_PASSWORD, IADVIZE_USER, WEBHOOK_SECRET

from chatferry import Connector, Finding, Lead, Level, Outcome, Receipt, Secret, Strategy, hookimpl
from chatferry.assembly import assemble
from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, Logins, Truth, create_app, signature
from chatferry.emulators.iadvize.webhooks import Webhook
from chatferry.engine import Engine
from chatferry.ledger import Ledger
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import Delivery, DeliveryState
from chatferry.plugins import Plugins
from chatferry.settings.model import ClientSettings, DestinationSettings, IAdvizeSettings, Settings

MAPPING = {
    "contact": {"email": "email", "first_name": "visitor.first_name"},
    "conversation": {
        "closed_at": "conversation.closed_at",
        "csat": "conversation.satisfaction.csat",
        "transactions": "conversation.transactions | length",
        "Q1": "answers.Q1",
        "transcript": "transcript",
    },
}


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class Crm:
    """What a destination holds, every call it got, and what it does at the next ones."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.calls: list[list[str]] = []
        self.script: deque[Callable[[Sequence[Lead]], Sequence[Outcome]]] = deque()
        self.findings: list[Finding] = []
        self.checks = 0

    def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        self.calls.append([lead.key for lead in leads])
        return self.script.popleft()(leads) if self.script else self.take(leads)

    def take(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
        for lead in leads:
            row = self.rows.setdefault(lead.key, {})
            for record in lead.records.values():
                row.update(record.values)
        return [Receipt(ids={"conversation": lead.key}) for lead in leads]

    def next(self, *outcomes: Outcome | Exception | Callable[[Sequence[Lead]], Sequence[Outcome]]) -> None:
        """Do these one after the other: return an outcome for every lead, raise, or call."""
        self.script.extend(one if callable(one) else _doing(one) for one in outcomes)

    def refuse_to_work(self, reason: str = "the key was revoked") -> None:
        self.findings = [Finding(level=Level.ERROR, subject="account", message=reason)]

    @property
    def delivered(self) -> list[str]:
        return [key for call in self.calls for key in call]


def _doing(outcome: Outcome | Exception) -> Callable[[Sequence[Lead]], Sequence[Outcome]]:
    def behave(leads: Sequence[Lead]) -> Sequence[Outcome]:
        if isinstance(outcome, Receipt):
            return [outcome] * len(leads)
        raise outcome

    return behave


def puppets(crms: dict[str, Crm], *, batch_size: int, timeout: float, update_only: bool) -> SimpleNamespace:
    """A plugin whose connector leads to the CRM named like the destination."""
    limits = {"batch_size": batch_size, "timeout": timeout, "update_only": update_only}

    class Puppet(Connector):
        name = "puppet"
        mapping = MAPPING
        update_only = limits["update_only"]
        batch_size = limits["batch_size"]
        timeout = limits["timeout"]

        def deliver(self, leads: Sequence[Lead]) -> Sequence[Outcome]:
            return crms[self.context.destination].deliver(leads)

        def check(self) -> Sequence[Finding]:
            crm = crms[self.context.destination]
            crm.checks += 1
            return crm.findings

    class Failing(Strategy):
        name = "failing"

        def extract(self, conversation):  # noqa: ARG002  (it never gets so far)
            raise ZeroDivisionError

    return SimpleNamespace(
        __name__="puppets",
        register_connectors=hookimpl(lambda: [Puppet]),
        register_strategies=hookimpl(lambda: [Failing]),
    )


class Ferry:
    """Everything a test of the engine works with."""

    def __init__(self, ledger: Ledger, world: IAdvizeWorld, url: str, directory: Path) -> None:
        self.ledger = ledger
        self.world = world
        self.url = url
        self.directory = directory
        self.clock = Clock()
        self.crms = {"crm": Crm()}
        self.destinations: dict[str, dict[str, Any]] = {"crm": {}}
        self.plugins: list[object] = []
        self.limits: dict[str, Any] = {"batch_size": 100, "timeout": 30.0, "update_only": True}
        self.options: dict[str, Any] = {}
        self.engines: list[Engine] = []
        self._made: Engine | None = None

    # ------------------------------------------------------------------ before it runs

    def destination(self, name: str, **options: Any) -> Crm:
        """Add a destination, or give one other options."""
        self.destinations[name] = options
        return self.crms.setdefault(name, Crm())

    @property
    def crm(self) -> Crm:
        return self.crms["crm"]

    @property
    def engine(self) -> Engine:
        if self._made is None:
            self._made = self.another(self.ledger)
        return self._made

    def another(self, ledger: Ledger) -> Engine:
        """Make an engine of the same configuration, as another process would."""
        plugins = Plugins.load(extra=[puppets(self.crms, **self.limits), *self.plugins])
        made = assemble(self.settings, ledger, plugins, clock=self.clock)
        self.engines.append(made)
        return made

    @property
    def settings(self) -> Settings:
        client = self.world.clients[0]
        return Settings(
            directory=self.directory,
            iadvize=IAdvizeSettings(
                secrets=(Secret(WEBHOOK_SECRET, "env:IADVIZE_SECRET"),),
                clients=(
                    ClientSettings(
                        platform=client.platform,
                        client_id=client.client_id,
                        username=Secret(IADVIZE_USER, "env:IADVIZE_USER"),
                        password=Secret(IADVIZE_PASSWORD, "env:IADVIZE_PASSWORD"),
                        api_url=self.url,
                        timeout=10.0,
                    ),
                ),
            ),
            destinations={
                name: DestinationSettings(**{"name": name, "connector": "puppet", "linger": 0.0, **options})
                for name, options in self.destinations.items()
            },
            **self.options,
        )

    # ---------------------------------------------------------------------- what happens

    def play(self, count: int = 1, **how: Any) -> list[str]:
        """Let ordinary conversations happen: complete, answered, with an e-mail. Return their ids.

        The API shows no rating of them: it would come by the emulator's own clock, not by the test's.
        """
        found: list[str] = []
        while len(found) < count:
            (one,) = self.world.play(1, **{"late": False, **how})
            truth = self.world.truth(one)
            if (
                truth.email_from == "profile"
                and truth.visitor["firstName"]
                and truth.messages
                and not truth.satisfaction
            ):
                found.append(one)
        return found

    def truth(self, conversation_id: str) -> Truth:
        return self.world.truth(conversation_id)

    def webhook(self, conversation_id: str, event_type: str = "v2.conversation.closed") -> Webhook:
        """Return the webhook the emulator has for a conversation."""
        return next(
            one.webhook
            for one in self.world.sender.deliveries
            if one.webhook.conversation_id == conversation_id and one.webhook.event_type == event_type
        )

    def later(self, conversation_id: str, event_type: str, event_id: str, **facts: Any) -> Webhook:
        """Return a webhook about a conversation that says something of its own."""
        closed = self.webhook(conversation_id)
        return Webhook(
            event_id=event_id,
            event_type=event_type,
            platform=closed.platform,
            client_id=closed.client_id,
            at=closed.at + 60,
            conversation_id=conversation_id,
            facts={**closed.facts, **facts},
        )

    def tell(self, *webhooks: Webhook) -> None:
        """Have the engine accept webhooks, signed as iAdvize signs them."""
        self.tell_to(self.engine, *webhooks)

    def tell_to(self, engine: Engine, *webhooks: Webhook) -> None:
        for webhook in webhooks:
            raw = webhook.body(webhook.at)
            engine.accept(raw, signature=signature(WEBHOOK_SECRET, raw), content_type="application/json")

    def tell_closed(self, *conversation_ids: str) -> None:
        self.tell(*(self.webhook(one) for one in conversation_ids))

    def run(self, engine: Engine | None = None) -> None:
        """Do everything that is due now."""
        engine = engine or self.engine
        for _ in range(100):
            if not engine.sync() + sum(engine.deliver(name) for name in engine.destinations):
                return
        raise AssertionError("there is always more that is due")

    # ----------------------------------------------------------------- what became of it

    def key(self, conversation_id: str) -> str:
        client = self.world.clients[0]
        return f"{client.platform}-{client.client_id}-{conversation_id}"

    def row(self, conversation_id: str, destination: str = "crm") -> dict[str, Any]:
        return self.crms[destination].rows[self.key(conversation_id)]

    def delivery(self, conversation_id: str, destination: str = "crm") -> Delivery:
        (one,) = self.ledger.selections.list(Selection(conversation=conversation_id, destination=destination))
        return one

    def state(self, conversation_id: str, destination: str = "crm") -> DeliveryState:
        return self.delivery(conversation_id, destination).state

    def close(self) -> None:
        for engine in self.engines:
            engine.close()


@pytest.fixture
def ferry(ledger: Ledger, tmp_path: Path) -> Iterator[Ferry]:
    """A ferry with one destination, ``crm``; change what it is made of before it runs."""
    logins = Logins(per_user=10_000, per_address=10_000)
    world = IAdvizeWorld(seed=11, conversations=0, logins=logins)
    with world, Server(create_app(world)) as server:
        made = Ferry(ledger, world, server.url, tmp_path)
        yield made
        made.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Something a CRM can wait for; open at the end, so that nothing waits for ever."""
    event = threading.Event()
    yield event
    event.set()
