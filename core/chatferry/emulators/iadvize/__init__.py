"""An emulator of iAdvize: log-in, GraphQL, signed webhooks, and the ground truth of each conversation.

::

    with IAdvizeWorld(webhooks=WebhookSettings(target=url)) as world, Server(create_app(world)) as server:
        world.play(50)
        world.settle()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from flask import Flask

from chatferry.emulators.emulator import Emulator
from chatferry.emulators.faults import FaultBoard
from chatferry.emulators.iadvize.app import create_app
from chatferry.emulators.iadvize.faults import FAULTS
from chatferry.emulators.iadvize.people import Client, make_clients
from chatferry.emulators.iadvize.sender import Attempt, WebhookDelivery, WebhookSettings
from chatferry.emulators.iadvize.tokens import Logins
from chatferry.emulators.iadvize.truth import Truth
from chatferry.emulators.iadvize.webhooks import signature
from chatferry.emulators.iadvize.world import IAdvizeWorld, Play

__all__ = [
    "EMULATOR",
    "FAULTS",
    "Attempt",
    "Client",
    "IAdvizeWorld",
    "Logins",
    "Play",
    "Truth",
    "WebhookDelivery",
    "WebhookSettings",
    "create",
    "create_app",
    "make_clients",
    "signature",
]

_WEBHOOKS = WebhookSettings()

OPTIONS = (
    click.Option(
        ["--seed"], type=int, default=1, show_default=True, help="The seed that generates the conversations."
    ),
    click.Option(
        ["--conversations"],
        type=click.IntRange(min=0),
        default=100,
        show_default=True,
        help="How many there are at the start.",
    ),
    click.Option(
        ["--clients"],
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="How many iAdvize clients: 335 on ha, 336 on sd, and so on.",
    ),
    click.Option(
        ["--username"], default="connector@example.com", show_default=True, help="The user that logs in."
    ),
    click.Option(["--password"], default="emulated", show_default=True, help="The password of every user."),
    click.Option(
        ["--secret"], default=_WEBHOOKS.secret, show_default=True, help="What the webhooks are signed with."
    ),
    click.Option(["--target"], help="Where the webhooks go; without it none are sent."),
    click.Option(
        ["--play"],
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Let this many conversations happen at once.",
    ),
    click.Option(
        ["--rate"], type=click.FloatRange(min=0.001), help="Spread them: so many conversations a second."
    ),
    click.Option(["--live"], is_flag=True, help="Let them begin now, and their messages appear over time."),
    click.Option(
        ["--pace"],
        type=click.FloatRange(min=0.001),
        default=1.0,
        show_default=True,
        help="How many times as fast as people they are, when live.",
    ),
    click.Option(
        ["--time-scale"],
        type=click.FloatRange(min=0.001),
        default=_WEBHOOKS.time_scale,
        show_default=True,
        help="How many times as fast lost webhooks are retried.",
    ),
    click.Option(
        ["--token-lifetime"],
        type=click.FloatRange(min=0),
        default=Logins().token_lifetime,
        show_default=True,
        help="Seconds until a token ends.",
    ),
    click.Option(
        ["--without-field", "without_field"],
        multiple=True,
        metavar="TYPE.FIELD",
        help="Take a field out of the schema, as iAdvize does with deprecated ones.",
    ),
)


def create(faults: FaultBoard | None = None, **options: Any) -> Flask:
    """Make the application that ``chatferry emulate iadvize`` serves; see ``OPTIONS``."""
    world = IAdvizeWorld(
        webhooks=WebhookSettings(**_given(options, "target", "secret", "time_scale")),
        logins=Logins(**_given(options, "token_lifetime")),
        faults=faults,
        **_given(options, "seed", "conversations", "clients", "username", "password"),
    )
    app = create_app(world, without=options.get("without_field", ()), latency=options.get("latency") or 0.0)
    if options.get("play"):
        # The receiver of a webhook reads its conversation at once: let the server start first.
        how = _given(options, "rate", "live", "pace")
        world.play_in_background(options["play"], delay=0.5, **how)
    return app


def _given(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names if options.get(name) is not None}


EMULATOR = Emulator(
    name="iadvize",
    summary="iAdvize: password grant, GraphQL, signed webhooks",
    create=create,
    faults=FAULTS,
    options=OPTIONS,
    hints=(
        "look at it:       {url}/",
        "log in:           curl -d 'grant_type=password&username=USER&password=PASSWORD' {url}/oauth2/token",
        'in chatferry:     api_url = "{url}"  (in [[iadvize.clients]])',
        "play some:        curl -d '{{\"count\": 5}}' -H content-type:application/json {url}/_emulator/play",
        "ground truth:     curl {url}/_emulator/truth",
    ),
)
