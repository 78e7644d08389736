from __future__ import annotations

import signal
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from chatferry.cli.app import command_line
from chatferry.errors import ChatferryError
from chatferry.runners.process import SWITCH_INTERVAL


@pytest.fixture
def signals():
    """The handlers a worker replaces, and its share of the interpreter, back in place afterwards."""
    found = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    turn = sys.getswitchinterval()
    yield
    sys.setswitchinterval(turn)
    for number, handler in found.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_worker_does_not_run_on_without_one_of_its_loops(shop):
    with shop.workspace() as workspace:
        settings = workspace.settings
        # No thread can wait for so long, so every loop ends.
        workspace.settings = replace(settings, runner=replace(settings.runner, idle=float("inf")))
        error = CliRunner().invoke(command_line(), ["worker"], obj=workspace).exception
    assert isinstance(error, ChatferryError)
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL)
    # Others end as well, but the worker stops at the first: which ones it still names is chance.
    assert "loops ended by themselves" in str(error)
