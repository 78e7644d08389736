"""What a delivery into CSV files costs, beside 1,000 to 1,000,000 rows that are there already.

Run it with ``python benchmarks/csv_rows.py [--sizes 1000,10000] [--directory DIR]``. All figures of a
table come from one run on one machine: read the ratios, not the milliseconds.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatferry import Context, Conversation, Lead, Record
from chatferry_csv import CsvConnector

TRANSCRIPT = "12:01 Visitor: do you have it in blue?\n12:02 Agent: in two weeks, we can call you.\n" * 6
BATCH = 500
NAIVE_UNTIL = 100_000


class Nowhere:
    """A memory the connector does not use."""

    def get(self, _key: str) -> None:
        """Return nothing."""

    def put(self, _key: str, _value: str) -> None:
        """Keep nothing."""

    def forget(self, _key: str) -> None:
        """Forget nothing."""


def lead(number: int, version: int = 0) -> Lead:
    """Return a lead as the default mapping makes it, about a kilobyte of it."""
    email = f"visitor{number}@example.com"
    key = f"ha-335-{random.Random(number).getrandbits(128):032x}"
    contact = {
        "email": email,
        "first_name": "Zoé",
        "last_name": "O'Neil",
        "phone": "+33612345678",
        "visitor_id": f"v{number}",
    }
    conversation: dict[str, str | int | bool] = {
        "email": email,
        "channel": "chat",
        "language": "fr",
        "project": 1549,
        "answered": True,
        "satisfaction": version % 6,
        "Q1": "a blue one, please",
        "Q2": f"call me, version {version}",
        "transcript": TRANSCRIPT,
    }
    return Lead(
        key=key,
        contact_key=email,
        email=email,
        conversation=Conversation(id=key, platform="ha", client_id=335),
        records={
            "contact": Record(values={**contact, "city": f"city {version}"}),
            "conversation": Record(values=conversation),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Milliseconds a lead."""

    cpu: float
    wall: float


def measured(batches: Sequence[Sequence[Lead]], write: Callable[[Sequence[Lead]], object]) -> Cost:
    """Return what a lead costs; a rewrite in the background is measured apart, as that of ``close``."""
    leads = sum(len(batch) for batch in batches)
    cpu, wall = time.thread_time(), time.perf_counter()
    for batch in batches:
        write(batch)
    return Cost(
        cpu=(time.thread_time() - cpu) * 1000 / leads, wall=(time.perf_counter() - wall) * 1000 / leads
    )


def connector(directory: Path) -> CsvConnector:
    """Return one that writes there."""
    return CsvConnector(
        {"directory": str(directory)},
        Context(destination="bench", directory=directory, memory=Nowhere()),
    )


def naive(directory: Path) -> Callable[[Sequence[Lead]], object]:
    """Return what a first attempt does: read both files, change the rows, write both files."""

    def write(leads: Sequence[Lead]) -> None:
        for kind in ("contact", "conversation"):
            path = directory / f"{kind}s.csv"
            with path.open(newline="", encoding="utf-8") as file:
                rows = {row["key"]: row for row in csv.DictReader(file)}
            for one in leads:
                key = one.contact_key if kind == "contact" else one.key
                values = {name: str(value) for name, value in one.records[kind].values.items()}
                rows[key] = {"key": key, **values}
            new = path.with_suffix(".new")
            with new.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(next(iter(rows.values()))))
                writer.writeheader()
                writer.writerows(rows.values())
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)

    return write


def seed_naive(directory: Path, size: int) -> None:
    """Write the files a naive writer would have left."""
    for kind in ("contact", "conversation"):
        with (directory / f"{kind}s.csv").open("w", newline="", encoding="utf-8") as file:
            first = lead(0).records[kind].values
            writer = csv.DictWriter(file, ["key", *first])
            writer.writeheader()
            for number in range(size):
                one = lead(number)
                key = one.contact_key if kind == "contact" else one.key
                writer.writerow({"key": key, **one.records[kind].values})


def cases(size: int, write: Callable[[Sequence[Lead]], object], batches: int, singles: int) -> list[Cost]:
    """Measure new rows and updates, in batches and one by one."""
    chosen = random.Random(size)
    new = [[lead(size + b * BATCH + n) for n in range(BATCH)] for b in range(batches)]
    update = [[lead(chosen.randrange(size), b + 1) for _ in range(BATCH)] for b in range(batches)]
    new_single = [[lead(2 * size + 10**7 + n)] for n in range(singles)]
    update_single = [[lead(chosen.randrange(size), 99)] for _ in range(singles)]
    return [measured(work, write) for work in (new, new_single, update, update_single)]


def grow(size: int, directory: Path) -> None:
    """Fill the files to ``size`` rows; run in a process of its own to see its memory."""
    csv_files = connector(directory)
    for start in range(0, size, BATCH):
        csv_files.deliver([lead(number) for number in range(start, min(start + BATCH, size))])
    csv_files.close()


def one_size(size: int, directory: Path) -> None:
    """Measure one size and print its line."""
    csv_files = connector(directory)
    costs = cases(size, csv_files.deliver, batches=10, singles=50)
    csv_files.close()
    csv_files = connector(directory)
    csv_files.deliver([lead(1, 77)])
    wall, cpu = time.perf_counter(), time.process_time()
    csv_files.close()
    rewrite = f"{time.perf_counter() - wall:8.1f} {time.process_time() - cpu:7.1f}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    megabytes = sum(path.stat().st_size for path in directory.glob("*.csv")) / 1e6
    print(line("chatferry-csv", size, costs), f"{megabytes:9.0f} {rewrite} {peak:8.0f}", flush=True)


def one_naive(size: int, directory: Path) -> None:
    """Measure the naive writer at one size."""
    seed_naive(directory, size)
    repeats = 1 if size >= NAIVE_UNTIL else 3
    print(line("rewrite all", size, cases(size, naive(directory), batches=repeats, singles=repeats)))


def line(name: str, size: int, costs: Sequence[Cost]) -> str:
    """Return the figures of a size."""
    return f"{name:14}{size:>10,}" + "".join(f" {cost.cpu:9.3f} {cost.wall:9.3f}" for cost in costs)


def run(arguments: Sequence[str]) -> None:
    """Run a part in a process of its own."""
    subprocess.run([sys.executable, __file__, *arguments], check=True)


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--directory", type=Path, default=None)
    parser.add_argument("--part", choices=("grow", "ours", "naive"))
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    if chosen.part:
        {"grow": grow, "ours": one_size, "naive": one_naive}[chosen.part](sizes[0], chosen.directory)
        return
    print("milliseconds a lead (two rows): CPU and wall; peak memory of the writing process in MiB")
    kinds = ("new, batch", "new, single", "update, batch", "update, single")
    print(" " * 24 + "".join(f"{kind:>20}" for kind in kinds) + "  file MB  rewrite s (CPU)  peak MB")
    for size in sizes:
        work = Path(tempfile.mkdtemp(dir=chosen.directory))
        try:
            began = time.perf_counter()
            run(["--part", "grow", "--sizes", str(size), "--directory", str(work)])
            grown = time.perf_counter() - began
            run(["--part", "ours", "--sizes", str(size), "--directory", str(work)])
            print(
                f"{'':14}{size:>10,}  filled in {grown:.1f} s, {size / grown:,.0f} leads a second", flush=True
            )
            if size <= NAIVE_UNTIL:
                shutil.rmtree(work)
                work.mkdir()
                run(["--part", "naive", "--sizes", str(size), "--directory", str(work)])
        finally:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
