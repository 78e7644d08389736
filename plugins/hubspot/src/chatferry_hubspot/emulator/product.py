"""The emulator as ``chatferry emulate`` offers it."""

from __future__ import annotations

import click

from chatferry.emulators import Emulator
from chatferry_hubspot.emulator.application import create_app
from chatferry_hubspot.emulator.faults import FAULTS
from chatferry_hubspot.emulator.settings import PLANS, AccountSettings

_DEFAULTS = AccountSettings()

OPTIONS = (
    click.Option(["--seed"], type=int, default=0, help="Makes ids and the order of results repeatable."),
    click.Option(
        ["--plan"],
        type=click.Choice(list(PLANS)),
        default=_DEFAULTS.plan,
        help="The account's plan; only enterprise has custom objects.",
    ),
    click.Option(
        ["--token"],
        multiple=True,
        metavar="TOKEN[=SCOPE,…]",
        help="A static token and its scopes (all); pat-emulator if none is given.",
    ),
    click.Option(
        ["--api-version"],
        multiple=True,
        metavar="DATE",
        help="A dated API version to serve (2026-09); v3 and v4 always are.",
    ),
    click.Option(["--burst"], type=int, help="Calls per 10 seconds and token; the plan's if not given."),
    click.Option(["--secondly"], type=int, help="Calls per second and token; no limit if not given."),
    click.Option(["--daily"], type=int, help="Calls per day of the account; the plan's if not given."),
    click.Option(["--time-zone"], default="UTC", help="The account's; the daily limit ends at its midnight."),
    click.Option(["--client-id"], default=_DEFAULTS.client_id, help="The OAuth app's id."),
    click.Option(["--client-secret"], default=_DEFAULTS.client_secret, help="The OAuth app's secret."),
    click.Option(["--refresh-token"], default=_DEFAULTS.refresh_token, help="A refresh token that is good."),
    click.Option(
        ["--token-life"], type=float, default=_DEFAULTS.token_life, help="Seconds an OAuth token lives."
    ),
    click.Option(["--rotate"], is_flag=True, help="Each refresh ends the refresh token and gives another."),
    click.Option(
        ["--search-lag"],
        type=float,
        default=_DEFAULTS.search_lag,
        help="Seconds until search finds what was written.",
    ),
)

EMULATOR = Emulator(
    name="hubspot",
    summary="A HubSpot account in memory: contacts, notes, custom objects, limits, faults, a page.",
    create=create_app,
    faults=FAULTS,
    options=OPTIONS,
)
