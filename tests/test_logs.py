from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
import structlog

from chatferry.logs import configure_logging
from chatferry.settings.model import LogSettings


@pytest.fixture(autouse=True)
def _as_before():
    root, urllib3 = logging.getLogger(), logging.getLogger("urllib3")
    handlers, level, other = root.handlers[:], root.level, urllib3.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    urllib3.setLevel(other)
    structlog.reset_defaults()


def test_machines_get_a_json_object_a_line(capsys):
    configure_logging(LogSettings(format="json"))
    structlog.get_logger("test").warning("destination paused", destination="sales", seconds=12)
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "destination paused"
    assert (line["level"], line["destination"], line["seconds"]) == ("warning", "sales", 12)
    assert line["timestamp"].endswith("Z")


def test_what_is_below_the_level_is_not_logged(capsys):
    configure_logging(LogSettings(level="error"))
    structlog.get_logger("test").warning("paused")
    structlog.get_logger("test").error("failed")
    assert "paused" not in (said := capsys.readouterr().err)
    assert "failed" in said


def test_the_addresses_urllib3_warns_of_are_not_logged(capsys):
    configure_logging(LogSettings())
    logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=http://h/jane@example.com)")
    assert "jane" not in capsys.readouterr().err


def test_a_log_that_cannot_be_written_any_more_stops_nothing():
    script = (
        "import sys, structlog; sys.stderr = open('/dev/full', 'w', buffering=1)\n"
        "from chatferry.logs import configure_logging\n"
        "from chatferry.settings.model import LogSettings\n"
        "configure_logging(LogSettings())\n"
        "structlog.get_logger().error('lost'); print('alive', flush=True)\n"
        "import os; os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "alive\n"
