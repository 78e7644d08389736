"""What docs/operations.md has an operator type exists, and docs/delivery.md has the real numbers."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from chatferry import schedule
from chatferry.cli.app import command_line
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.settings.model import (
    DestinationSettings,
    ReconcileSettings,
    RetentionSettings,
    RetrySettings,
    RunnerSettings,
)

DOCS = Path(__file__).parents[2] / "docs"
OPERATIONS = (DOCS / "operations.md").read_text(encoding="utf-8")
DELIVERY = (DOCS / "delivery.md").read_text(encoding="utf-8")
TYPED = sorted(
    {found.strip() for found in re.findall(r"(?:`|\$ )(chatferry [^`#\n]+)", OPERATIONS + DELIVERY)}
)


@pytest.mark.parametrize("typed", TYPED)
def test_what_an_operator_is_asked_to_type_exists(typed):
    words = shlex.split(typed)[1:]
    command: click.Command = command_line()
    context = click.Context(command)
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command, context = found, click.Context(found, parent=context)
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_there_is_something_to_type():
    assert len(TYPED) > 20


def test_the_numbers_in_the_promise_are_the_defaults():
    retry, retention = RetrySettings(), RetentionSettings()
    assert (retry.first, retry.longest, retry.give_up_after) == (2, 3600, 3 * 86_400)
    assert DestinationSettings(name="x", connector="y").linger == 0.05
    assert (ReconcileSettings().every, ReconcileSettings().overlap) == (3600, 3 * 3600)
    assert (schedule.PROBE_CREDENTIALS, schedule.QUOTA_PAUSE) == (300, 3600)
    assert [schedule.not_ready(attempts) for attempts in range(6)] == [2, 10, 60, 300, 900, 900]
    assert (retention.events_days, retention.leads_days) == (30, 90)
    assert RunnerSettings().lease == 60


def test_every_state_is_explained():
    assert all(f"| `{state}` |" in DELIVERY for state in DeliveryState)
