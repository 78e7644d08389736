"""Assemble the Flask application of the emulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from flask import Flask

from chatferry.emulators import FaultBoard
from chatferry_hubspot.emulator.account import Account
from chatferry_hubspot.emulator.gate import guard
from chatferry_hubspot.emulator.paths import rules
from chatferry_hubspot.emulator.serving import HubSpotApp
from chatferry_hubspot.emulator.settings import PLANS, SCOPES, AccountSettings


def create_app(
    *,
    faults: FaultBoard,
    latency: float = 0.0,
    token: Sequence[str] = (),
    api_version: Sequence[str] = (),
    **options: object,
) -> HubSpotApp:
    """Make an emulated HubSpot; ``options`` are fields of :class:`AccountSettings`.

    ``token`` holds ``TOKEN`` (all scopes) or ``TOKEN=SCOPE,SCOPE``; ``latency`` is in seconds.

    :raises ValueError: if there is no such plan.
    """
    options = {name: value for name, value in options.items() if value is not None}
    if token:
        options["tokens"] = read_tokens(token)
    if api_version:
        options["dates"] = tuple(api_version)
    settings = AccountSettings(latency=latency, **options)  # type: ignore[arg-type]  # the options have these types
    if settings.plan not in PLANS:
        message = f"there is no plan {settings.plan!r}; there are {', '.join(PLANS)}"
        raise ValueError(message)
    application = HubSpotApp(Account(settings), faults)
    routed = _routed(settings.dates)
    application.url_map = routed.url_map
    application.view_functions.update(routed.view_functions)
    guard(application)
    return application


@cache
def _routed(dates: tuple[str, ...]) -> Flask:
    """Return an application with all rules: compiling them is slow, and tests make many emulators."""
    application = Flask("chatferry_hubspot.emulator", static_folder=None)
    for method, rule, view in rules(dates):
        application.add_url_rule(rule, f"{method} {rule}", view, methods=[method])
    return application


def read_tokens(specifications: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Read ``TOKEN`` or ``TOKEN=SCOPE,SCOPE`` into the scopes of each token."""
    tokens = {}
    for specification in specifications:
        value, _, scopes = specification.partition("=")
        tokens[value] = tuple(scopes.split(",")) if scopes else SCOPES
    return tokens
