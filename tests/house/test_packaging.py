from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = [ROOT, ROOT / "plugins" / "csv", ROOT / "plugins" / "hubspot"]


def setup_cfg(folder: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(folder / "setup.cfg")
    return parser


def commands_of(page: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines()]


def test_ci_runs_the_very_test_command_of_the_readme():
    (command,) = [one for one in commands_of(ROOT / "README.md") if one.endswith("bin/tox")]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_distributions_move_together():
    versions = {
        re.search(r'__version__ = "(.+?)"', path.read_text())[1]
        for path in [*ROOT.glob("core/chatferry/_version.py"), *ROOT.glob("plugins/*/src/*/_version.py")]
    }
    assert len(versions) == 1
    assert f"## [{versions.pop()}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda folder: folder.name)
def test_every_dependency_has_its_reason_and_a_lower_bound(folder):
    lines = setup_cfg_lines(folder)
    for reason, requirement in zip(lines[::2], lines[1::2], strict=True):
        assert reason.startswith("# "), f"{requirement} has no reason"
        assert ">=" in requirement, f"{requirement} has no lower bound"


def setup_cfg_lines(folder: Path) -> list[str]:
    text = (folder / "setup.cfg").read_text()
    found = re.search(r"^install_requires =\n((?: {4}.+\n)+)", text, re.MULTILINE)
    return [line.strip() for line in found[1].splitlines()]


def test_floor_pins_exactly_the_declared_lower_bounds():
    declared = {}
    for folder in DISTRIBUTIONS:
        for line in setup_cfg_lines(folder)[1::2]:
            name, _, bound = line.partition(">=")
            if name != "chatferry":
                declared[name] = bound.split(",")[0]
    pinned = dict(
        line.split("==") for line in (ROOT / "tests" / "floor.txt").read_text().splitlines() if "==" in line
    )
    for name, bound in declared.items():
        assert Version(pinned[name]) == Version(bound), name


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"], ids=lambda p: p.name)
def test_every_link_between_the_pages_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+\.(?:md|toml|py|cfg))[^)]*\)", text)
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing
