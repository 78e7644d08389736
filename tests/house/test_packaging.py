from __future__ import annotations

import configparser
import importlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = [ROOT, *(ROOT / "plugins" / name for name in ("csv", "hubspot", "salesforce"))]
PACKAGES = sorted(
    path.parent for path in [*ROOT.glob("core/*/py.typed"), *ROOT.glob("plugins/*/src/*/py.typed")]
)


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


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda folder: folder.name)
def test_a_distribution_says_where_its_project_is(folder):
    urls = dict(
        line.split(" = ") for line in setup_cfg(folder)["metadata"]["project_urls"].strip().splitlines()
    )
    assert list(urls) == ["Source", "Documentation", "Changelog", "Issues"]
    for url in urls.values():
        assert url.startswith("https://github.com/chatferry/chatferry")
        found = re.fullmatch(r".+/(?:blob|tree)/main/(.+)", url)
        assert found is None or (ROOT / found[1]).exists(), url


def test_pre_commit_and_contributors_use_the_versions_of_tox():
    pinned = {}
    for name in ("tox.ini", ".pre-commit-config.yaml", "CONTRIBUTING.md"):
        for tool, version in re.findall(
            r"\b(ruff|mypy)==([\d.]+\d)", (ROOT / name).read_text(encoding="utf-8")
        ):
            pinned.setdefault(tool, {}).setdefault(version, set()).add(name)
    assert pinned.keys() == {"ruff", "mypy"}
    assert all(len(versions) == 1 for versions in pinned.values()), pinned
    assert {".pre-commit-config.yaml", "tox.ini"} <= set.union(*pinned["ruff"].values())


def test_the_fixtures_that_make_a_test_slow_exist():
    """A renamed one would bring its tests into the fast lane unnoticed."""
    names = re.search(r"WHOLE_ENGINE = \{(.+)\}", (ROOT / "conftest.py").read_text(encoding="utf-8"))[1]
    code = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    for name in re.findall(r"\w+", names):
        assert re.search(rf"@pytest\.fixture.*\ndef {name}\(", code), name


def files_of(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".mako"}  # the latter is for writing migrations
    }


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_what_is_installed_is_what_is_here(package):
    """``py.typed``, templates and schemas included; of installed wheels this says that they are whole."""
    if find_spec(package.name) is None:
        pytest.skip(f"{package.name} is not installed")
    (installed,) = importlib.import_module(package.name).__path__
    assert files_of(Path(installed)) == files_of(package)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_module_can_be_imported(package):
    if find_spec(package.name) is None:
        pytest.skip(f"{package.name} is not installed")
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        if "migrations" not in parts and path.stem != "__main__":  # these run where they are loaded
            importlib.import_module(".".join(part for part in parts if part != "__init__"))


@pytest.mark.parametrize(
    "page",
    [*sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("plugins/*/README.md"))],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_every_link_between_the_pages_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+\.(?:md|toml|py|cfg))[^)]*\)", text)
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing
