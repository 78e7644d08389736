"""Settings of every test of the repository, the plugins' included, and the lanes: which tests run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import settings

# A deadline fails on a busy machine and passes on an idle one: it says nothing of the code.
settings.register_profile("chatferry", deadline=None)
settings.load_profile("chatferry")

# Fixtures that serve the tests of several rooms; every log line of every test is watched.
pytest_plugins = ["ferry_fixtures", "log_watch", "zones"]

ROOT = Path(__file__).parent
TESTS = [ROOT / "tests", *ROOT.glob("plugins/*/tests")]

WHOLE_ENGINE = {"ferry", "open_shop", "shop"}
"""Fixtures of an engine with everything around it."""
PROCESSES = {"multiprocessing", "subprocess"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: half of a test's time goes by in waiting for processes and sockets."""
    return 2 * (os.cpu_count() or 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a lane be chosen."""
    parser.addoption(
        "--lane",
        choices=["fast", "quick", "full"],
        default="full",
        help="fast: the tests that are not slow. quick: these, and of the slow ones the first of each kind"
        " in each file, without those marked slow by hand. full: all (default)",
    )
    parser.addoption(
        "--whole",
        action="append",
        default=[],
        metavar="FOLDER",
        help="a folder all of whose tests run in any lane",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the lane leaves out, and begin with what takes longest."""
    whole = [config.rootpath / folder for folder in config.getoption("whole")]
    for folder in whole:
        if not folder.is_dir():
            message = f"--whole: there is no folder {folder}"
            raise pytest.UsageError(message)
    lane = config.getoption("lane")
    chosen: dict[bool, list[pytest.Item]] = {True: [], False: []}
    left_out: list[pytest.Item] = []
    seen = set()
    for item in items:
        reason = slowness(item)
        kind = (item.path, reason)
        if (
            not reason
            or lane == "full"
            or (lane == "quick" and reason != "marked" and kind not in seen)
            or any(item.path.is_relative_to(folder) for folder in whole)
        ):
            chosen[reason == "marked"].append(item)
        else:
            left_out.append(item)
        seen.add(kind)
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = beginning_with(chosen[True], chosen[False], workers)
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def slowness(item: pytest.Item) -> str:
    """Return why a test is slow, or nothing if it is not: by what it uses, wherever it stands."""
    if item.get_closest_marker("slow"):
        return "marked"
    fixtures = getattr(item, "fixturenames", ())
    callspec = getattr(item, "callspec", None)
    if "postgresql" in (callspec.params.values() if callspec else ()) or any(
        name.startswith("postgresql") for name in fixtures
    ):
        return "postgresql"
    if any(starts_processes(function) for function in functions_of(item)):
        return "processes"
    return "" if WHOLE_ENGINE.isdisjoint(fixtures) else "engine"


def beginning_with(slow: list[pytest.Item], others: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests in an order in which each worker begins with slow ones: no run ends waiting for one.

    Workers begin with equal parts of the list.
    """
    total = len(slow) + len(others)
    rest = iter(others)
    ordered: list[pytest.Item] = []
    for number in range(workers):
        first = slow[number::workers]
        part = (total - len(ordered)) // (workers - number)
        ordered += [*first, *islice(rest, max(0, part - len(first)))]
    return [*ordered, *rest]


def functions_of(item: pytest.Item) -> Iterator[FunctionType]:
    """Return a test's function and those of its fixtures."""
    if isinstance(item, pytest.Function):
        yield item.function
        for definitions in item._fixtureinfo.name2fixturedefs.values():  # noqa: SLF001  (there is no public way)
            yield from (one.func for one in definitions if isinstance(one.func, FunctionType))


@cache
def starts_processes(function: FunctionType) -> bool:
    """Say whether a function, or what it uses of the tests' own code, names a module of ``PROCESSES``."""
    waiting: list[Any] = [function]
    known = set()
    while waiting:
        used = waiting.pop()
        if used in known:
            continue
        known.add(used)
        if isinstance(used, type):
            waiting += [one for one in vars(used).values() if isinstance(one, FunctionType)]
            continue
        for name in names_in(used.__code__):
            value = used.__globals__.get(name)
            if isinstance(value, ModuleType) and value.__name__ in PROCESSES:
                return True
            if isinstance(value, type | FunctionType) and of_the_tests(value.__module__):
                waiting.append(value)
    return False


@cache
def of_the_tests(module: str) -> bool:
    """Say whether a module lies in a folder of tests."""
    file = Path(getattr(sys.modules.get(module), "__file__", None) or "/")
    return any(file.is_relative_to(folder) for folder in TESTS)


def names_in(code: CodeType) -> Iterator[str]:
    """Return the names a piece of code uses, those of the functions inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
