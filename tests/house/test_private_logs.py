"""A test whose product logs secrets or personal data fails, whatever it logs them with."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import private_values
import pytest

ROOT = Path(__file__).parents[2]
LEAKS = Path(__file__).parent / "leaks" / "every_kind.py"
NAMES = [node.name for node in ast.parse(LEAKS.read_text()).body if node.__class__ is ast.FunctionDef]
TESTS = [name for name in NAMES if name.startswith("test_")]
CLEAN = "test_nothing_private_is_logged"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What went wrong in each of the tests that leak."""
    report = tmp_path_factory.mktemp("leaks") / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", LEAKS]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    return {
        case.get("name"): [part.get("message") + (part.text or "") for part in case]
        for case in ET.parse(report).iter("testcase")
    }


@pytest.mark.parametrize("name", [name for name in TESTS if name != CLEAN])
def test_a_leak_fails_the_test_it_is_in(outcomes, name):
    if any("its plugin is installed" in message for message in outcomes[name]):
        pytest.importorskip("chatferry_hubspot", reason="one leak needs it")
    (message,) = outcomes[name]
    assert "the log shows what is private" in message


def test_a_log_that_shows_nothing_private_fails_nothing(outcomes):
    assert outcomes[CLEAN] == []


@pytest.mark.parametrize("secret", private_values.SECRETS)
def test_a_secret_of_the_tests_is_written_in_one_place(secret):
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/**/*.py")]
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    holding = [file.name for file, text in texts.items() if f'"{secret}"' in text]
    assert holding == ["private_values.py"]
