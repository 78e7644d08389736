"""The emulator as `chatferry emulate` sees it."""

from __future__ import annotations

import click
import pytest
from private_values import HUBSPOT_TOKEN

from chatferry.emulators import Emulator
from chatferry_hubspot.emulator import EMULATOR


def created(*arguments: str):
    """Make the application from command-line arguments."""
    command = click.Command("hubspot", params=list(EMULATOR.options))
    with command.make_context("hubspot", list(arguments)) as context:
        return EMULATOR.create(faults=EMULATOR.board(), latency=0.0, **context.params)


def test_the_emulator_is_offered_by_name():
    assert isinstance(EMULATOR, Emulator)
    assert EMULATOR.name == "hubspot"


def test_every_option_has_a_default_that_works():
    settings = created().account.settings

    assert (settings.plan, list(settings.tokens), settings.dates) == (
        "enterprise",
        [HUBSPOT_TOKEN],
        ("2026-09",),
    )


def test_options_reach_the_account():
    arguments = (
        "--plan free --token a --token b=x.read,x.write --api-version 2026-03 --burst 7 --rotate --seed 3"
    )

    settings = created(*arguments.split()).account.settings

    assert settings.tokens["b"] == ("x.read", "x.write")
    assert len(settings.tokens["a"]) > 5
    assert (settings.plan, settings.dates, settings.burst, settings.rotate, settings.seed) == (
        "free",
        ("2026-03",),
        7,
        True,
        3,
    )


def test_a_plan_that_is_not_there_is_refused():
    with pytest.raises(click.BadParameter, match="gold"):
        created("--plan", "gold")
