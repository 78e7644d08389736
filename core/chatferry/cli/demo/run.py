"""The demonstration itself: emulators, a configuration, the server, conversations, a comparison."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from chatferry.cli.demo.server import DemoServer, free_port
from chatferry.cli.demo.truth import Comparison, compare
from chatferry.cli.template import toml_key, toml_value
from chatferry.connector import Connector
from chatferry.emulators import FaultBoard, Server
from chatferry.emulators.iadvize import FAULTS, IAdvizeWorld, Truth, WebhookSettings, create_app
from chatferry.emulators.stage import Stage

MISBEHAVIOUR = ("duplicate:0.15", "reordered=0.5:0.15", "late-close:0.1", "late-data:0.05", "server-error:x1")
"""The faults of a production day: duplicate and reordered webhooks, data that appear late, an outage."""

_SECRETS = {
    "IADVIZE_SECRET": "a-secret-of-the-demo",
    "IADVIZE_USER": "connector@example.com",
    "IADVIZE_PASSWORD": "emulated",
}
_EACH = 0.05
"""Seconds by which each lead lengthens the wait for all."""

Progress = Callable[[str, int], None]
"""Called with ``acknowledged`` or ``arrived`` and the number of webhooks or leads so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What is to be demonstrated; ``patience`` is how many seconds to wait for leads that do not come."""

    connector: type[Connector]
    directory: Path
    conversations: int
    seed: int
    patience: float = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """The outcome. ``events`` counts the webhooks by type, ``attempts`` the tries to send them.

    ``seconds`` is from the first close to the last change for the better: a lead arrived, or became right.
    """

    comparison: Comparison
    mapping: Mapping[str, Mapping[str, str]]
    seconds: float
    events: Mapping[str, int]
    attempts: int
    misbehaved: Mapping[str, int]
    places: Sequence[str]
    log: Path


Pause = Callable[[float], None]
"""Sleeps for some seconds; raises once a signal asked to stop."""


def demonstrate(plan: DemoPlan, progress: Progress, pause: Pause) -> DemoResult:
    """Carry the conversations from the emulator to the CRM with the real server, and compare.

    :raises ChatferryError: if the server does not run.
    """
    port = free_port()
    target = WebhookSettings(
        target=f"http://127.0.0.1:{port}/webhooks/iadvize",
        secret=_SECRETS["IADVIZE_SECRET"],
        time_scale=10.0,
    )
    faults = FaultBoard(FAULTS, MISBEHAVIOUR, seed=plan.seed)
    with ExitStack() as stack:
        stage = stack.enter_context(plan.connector.stage(plan.directory))
        world = stack.enter_context(
            IAdvizeWorld(seed=plan.seed, conversations=0, webhooks=target, faults=faults)
        )
        iadvize = stack.enter_context(Server(create_app(world)))
        config = plan.directory / "chatferry.toml"
        config.write_text(_configuration(plan.connector, stage, iadvize.url, port), encoding="utf-8")
        log = plan.directory / "serve.log"
        server = DemoServer(config, port, {**_SECRETS, **stage.environ}, log, pause)
        with server:
            began = time.monotonic()
            for _ in range(plan.conversations):
                world.play()
                pause(0.0)
            seconds = _await(plan, world, stage, server, progress, pause) - began
        return _outcome(plan, world, stage, seconds, log)


def _await(
    plan: DemoPlan, world: IAdvizeWorld, stage: Stage, server: DemoServer, progress: Progress, pause: Pause
) -> float:
    """Wait until every lead is right and no webhook is pending, or until the time limit.

    Returns when the last lead arrived or became right, as :func:`time.monotonic` says it.
    """
    truths, mapping = _truths(world), _mapping(plan.connector, stage)
    deadline = time.monotonic() + plan.patience + _EACH * plan.conversations
    best, changed = (0, 0), time.monotonic()
    while time.monotonic() < deadline:
        server.check()
        began = time.monotonic()
        found = compare(truths, stage, mapping)
        reached = (found.arrived, sum(found.right.values()))
        if reached > best:
            best, changed = reached, began
        progress("acknowledged", len(set(world.acknowledged())))
        progress("arrived", found.arrived)
        if not found.differences and world.settle(0):
            break
        pause(max(0.2, time.monotonic() - began))
    return changed


def _outcome(plan: DemoPlan, world: IAdvizeWorld, stage: Stage, seconds: float, log: Path) -> DemoResult:
    mapping = _mapping(plan.connector, stage)
    deliveries = world.sender.deliveries
    events: dict[str, int] = {}
    for delivery in deliveries:
        events[delivery.webhook.event_type] = events.get(delivery.webhook.event_type, 0) + 1
    return DemoResult(
        comparison=compare(_truths(world), stage, mapping),
        mapping=mapping,
        seconds=seconds,
        events=events,
        attempts=sum(len(delivery.attempts) for delivery in deliveries),
        misbehaved=world.faults.struck,
        places=stage.places,
        log=log,
    )


def _truths(world: IAdvizeWorld) -> Sequence[Truth]:
    return [world.truth(conversation) for conversation in world.ids[: world.played]]


def _mapping(connector: type[Connector], stage: Stage) -> Mapping[str, Mapping[str, str]]:
    return {**connector.mapping, **stage.mapping}


def _configuration(connector: type[Connector], stage: Stage, api_url: str, port: int) -> str:
    """Return a configuration as an operator would write it, with the addresses of the emulators."""
    place = f"destinations.{toml_key(connector.name)}"
    lines = [
        "# Written by chatferry demo.",
        'database = "sqlite:///chatferry.db"',
        f"web = {{ port = {port} }}",
        "[iadvize]",
        'secrets = ["env:IADVIZE_SECRET"]',
        "[[iadvize.clients]]",
        'platform = "ha"',
        "client_id = 335",
        'username = "env:IADVIZE_USER"',
        'password = "env:IADVIZE_PASSWORD"',
        f"api_url = {json.dumps(api_url)}",
        f"[{place}]",
        f"connector = {toml_value(connector.name)}",
        f"[{place}.settings]",
        *(f"{toml_key(name)} = {toml_value(value)}" for name, value in stage.settings.items()),
    ]
    for kind, fields in stage.mapping.items():
        lines.append(f"[{place}.{toml_key(kind)}]")
        lines += [f"{toml_key(name)} = {toml_value(expression)}" for name, expression in fields.items()]
    return "\n".join(lines) + "\n"
