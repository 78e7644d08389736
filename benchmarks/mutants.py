"""Change the code in one place at a time, and see whether the tests notice.

Needs the development environment (CONTRIBUTING.md) and cosmic-ray==8.7.0, which makes the changes:

    python benchmarks/mutants.py --sample 100 --seed 1

Nothing is changed in the checkout: every job works in a copy of its own. A change meets the quick lane of its
room's tests, then all of them, then the quick lane of the rooms around it, always without PostgreSQL. What
survives is shown as a diff.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from changes import ROOT, Mutant, in_chance_order, mutants

ENGINE = ("tests/engine", "tests/operations", "tests/runners")
ROOMS = {
    "accept": (("tests/accept", "tests/iadvize/test_envelope.py"), ("tests/web", "tests/ledger", *ENGINE)),
    "sync": (("tests/sync",), ENGINE),
    "deliver": (("tests/deliver",), ("tests/sync", *ENGINE)),
    "ledger": (("tests/ledger",), ("tests/accept", "tests/sync", "tests/deliver", "tests/cli", *ENGINE)),
    "schedule.py": (("tests/test_schedule.py",), ("tests/deliver", "tests/sync", "tests/http", *ENGINE)),
}
"""For each room its own tests, and those of the rooms around it."""
PATIENCE = 900.0
"""Seconds for one run of tests. What takes longer may loop for ever or not: it does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a change: ``killed``, ``timeout`` or ``survived``."""

    room: str
    file: str
    line: int
    operator: str
    outcome: str
    noticed_by: str
    seconds: float
    diff: str


def copy_of_the_checkout(folder: Path) -> Path:
    """Copy what the tests need."""
    skipped = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "results")
    return Path(shutil.copytree(ROOT, folder, ignore=skipped))


def rounds(room: str) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield lanes and tests, the quickest to find something first."""
    own, around = ROOMS[room]
    yield from (("quick", own), ("full", own), ("quick", around))


def first_failure(checkout: Path, lane: str, tests: Sequence[str]) -> str:
    """Run tests on a copy and return which one fails first; nothing if none does.

    :raises TimeoutError: if they take too long.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
    process = subprocess.Popen(
        [*command, "--lane", lane, "-k", "not postgresql", *tests],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "core"), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    try:
        shown, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    failed = [line for line in shown.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return "" if process.returncode == 0 else (failed or ["the tests do not start"])[0]


def judge(mutant: Mutant, changed: str, checkout: Path) -> Verdict:
    """Put a change in its place, run the tests, and take it back."""
    began, file = time.monotonic(), checkout / mutant.file
    code = file.read_text(encoding="utf-8")
    file.write_text(changed, encoding="utf-8")
    try:
        failures = (first_failure(checkout, *which) for which in rounds(mutant.room))
        noticed = next(filter(None, failures), "")
        outcome = "killed" if noticed else "survived"
    except TimeoutError:
        noticed, outcome = "", "timeout"
    finally:
        file.write_text(code, encoding="utf-8")
    lines = difflib.unified_diff(code.splitlines(), changed.splitlines(), lineterm="", n=1)
    return Verdict(
        room=mutant.room,
        file=mutant.file,
        line=mutant.line,
        operator=mutant.operator.partition("/")[2],
        outcome=outcome,
        noticed_by=noticed.partition(" - ")[0],
        seconds=round(time.monotonic() - began, 1),
        diff="\n".join([*lines][2:]),
    )


def main() -> None:
    """Judge a sample of all changes, and show what survives."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int, metavar="N", help="how many changes to try (all)")
    parser.add_argument("--seed", type=int, default=1, help="what the choice grows from (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time (one a core)")
    parser.add_argument("--room", action="append", choices=ROOMS, help="only this one; may be repeated")
    parser.add_argument("--output", type=Path, help="a file for the verdicts, one JSON object a line")
    options = parser.parse_args()
    names = options.room or list(ROOMS)
    found = [mutant for room in names for mutant in mutants(room)]
    print(f"{len(found)} changes: {dict(Counter(one.room for one in found))}", flush=True)
    order = in_chance_order(found, options.seed)
    changes = ((mutant, code) for mutant in order if (code := mutant.code()) is not None)
    chosen = [*islice(changes, options.sample)]
    report([*verdicts(chosen, names, options.jobs, options.output)])


def verdicts(
    chosen: Sequence[tuple[Mutant, str]], names: Sequence[str], jobs: int, output: Path | None
) -> Iterator[Verdict]:
    """Yield what becomes of each change, as it is known."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        free: queue.Queue[Path] = queue.Queue()
        for number in range(jobs):
            free.put(copy_of_the_checkout(Path(folder) / str(number)))
        for lane, tests in {which for room in names for which in rounds(room)}:
            if failed := first_failure(Path(folder) / "0", lane, tests):
                sys.exit(f"there is no change yet, and this fails: {failed}")

        def next_one(change: tuple[Mutant, str]) -> Verdict:
            checkout = free.get()
            try:
                return judge(*change, checkout)
            finally:
                free.put(checkout)

        for number, verdict in enumerate(pool.map(next_one, chosen), 1):
            print(f"{number}/{len(chosen)} {verdict.outcome} {verdict.file}:{verdict.line}", flush=True)
            if output:
                with output.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(verdict)) + "\n")
            yield verdict


def report(judged: list[Verdict]) -> None:
    """Show the score of each room, and every survivor."""
    for verdict in judged:
        if verdict.outcome == "survived":
            print(f"\n{verdict.file}:{verdict.line} {verdict.operator}\n{verdict.diff}")
    print()
    for room in dict.fromkeys(verdict.room for verdict in judged):
        outcomes = Counter(verdict.outcome for verdict in judged if verdict.room == room)
        decided = outcomes.total() - outcomes["timeout"]
        print(f"{room}: {outcomes['killed']} of {decided} noticed, {outcomes['timeout']} took too long")


if __name__ == "__main__":
    main()
