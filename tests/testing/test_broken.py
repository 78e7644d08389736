"""Every case of the contract catches a connector that is broken in just that way."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from chatferry.testing import ConnectorContract

HERE = Path(__file__).parent
BROKEN = {
    name: connector.caught_by
    for path in sorted((HERE / "broken").glob("*.py"))
    for name, connector in runpy.run_path(str(path)).items()
    if "caught_by" in getattr(connector, "__dict__", {})
}


@pytest.fixture(scope="session")
def failures(tmp_path_factory):
    """The cases that failed, as (connector, case), when each connector met the case meant for it."""
    report = tmp_path_factory.mktemp("broken") / "report.xml"
    contracts = str(HERE / "contracts_of_the_broken.py")
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "--import-mode=importlib", f"--junitxml={report}", f"--rootdir={HERE}", contracts],
        cwd=report.parent,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout
    return {
        (case.get("classname").rpartition(".Test")[2], re.sub(r"\[.*", "", case.get("name"))): failed
        for case in ET.parse(report).iter("testcase")
        if (failed := case.find("failure")) is not None
    }


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_connector_is_caught_by_the_case_meant_for_it(failures, name):
    assert (name, BROKEN[name]) in failures


def test_every_case_can_fail():
    assert set(BROKEN.values()) == set(ConnectorContract.cases())
