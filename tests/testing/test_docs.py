"""The documentation's code is what runs here, and its lists are what the kit has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import chatferry.testing
from chatferry.testing import TROUBLES, Capability, ConnectorContract, Trouble

DOCS = Path(__file__).parents[2] / "docs"


def code_blocks(page: str) -> dict[str, str]:
    """The Python blocks of a page that begin with a file name, by that name."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, re.DOTALL))


def test_the_connector_of_the_tutorial_passes_its_contract(tmp_path):
    blocks = code_blocks("write-a-connector.md")
    for name, code in blocks.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "chatferry.testing.plugin",
            "test_contract.py",
            "test_bulk.py",
            "test_http.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert set(blocks) == {
        "rolodex.py",
        "chatferry_rolodex.py",
        "test_bulk.py",
        "test_http.py",
        "test_contract.py",
    }
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) > 40
    assert re.search(
        r"TestRolodex: \d+ cases apply, \d+ left out; not declared: ARCHIVED, CONVERTED, CREATE",
        run.stdout,
    )


def test_the_connector_of_the_tutorial_stays_short():
    lines = code_blocks("write-a-connector.md")["chatferry_rolodex.py"].splitlines()
    body = lines[lines.index("class RolodexConnector(Connector):") :]
    assert len([line for line in body if line.strip()]) <= 45


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The table below a heading: its rows by their first cell."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "|" in line
    ]
    return {first.strip("`"): rest for first, *rest in cells[2:]}


def test_the_table_of_capabilities_is_the_kits():
    assert {name: cells[0] for name, cells in rows("test-a-plugin.md", "Capabilities").items()} == {
        capability.name: capability.value for capability in Capability
    }


def test_the_table_of_capabilities_names_their_troubles():
    for name, (_, needed) in rows("test-a-plugin.md", "Capabilities").items():
        troubles = {word for word in re.findall(r"`(\w+)`", needed) if word in Trouble.__members__}
        assert troubles == {trouble.name for trouble in TROUBLES.get(Capability[name], ())}


def test_the_table_of_troubles_is_the_kits():
    assert {name: cells[0] for name, cells in rows("test-a-plugin.md", "Troubles").items()} == {
        trouble.name: trouble.value for trouble in Trouble
    }


def test_the_list_of_cases_is_the_kits():
    text = (DOCS / "test-a-plugin.md").read_text(encoding="utf-8").partition("## The cases\n")[2]
    listed = re.findall(r"^- `(test_\w+)`(?: \((.*?)\))?: \S", text, re.MULTILINE)
    assert {name: set(re.findall(r"\w+", needed)) for name, needed in listed} == {
        name: {capability.name for capability in needed} for name, needed in ConnectorContract.cases().items()
    }


def test_the_offered_names_are_the_packages():
    cells = rows("test-a-plugin.md", "What the package offers")
    named = {name for cell in cells for name in re.findall(r"\w+", cell)}
    assert named == set(chatferry.testing.__all__)
    assert sorted(named, key=lambda name: (not name.isupper(), name[0].islower(), name)) == list(
        chatferry.testing.__all__
    )
