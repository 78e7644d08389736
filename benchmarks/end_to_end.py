"""Conversations a second from webhook to CSV row, and the CPU each takes, beside a plain Flask app.

    python benchmarks/end_to_end.py [--conversations 3000] [--baseline 400] [--rounds 3]

iAdvize is 80 ms away and answers what the emulator answered before to the very same documents (see
``recorded.py``). Webhooks are posted at full speed by a process of its own; the clock stops when the
last row is in ``conversations.csv``. CPU is that of all processes of the contestant, from /proc, and
of nobody else. Contestants take turns; medians of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import processes
import recorded

DELAY = 0.08
CONNECTIONS = 64
SETTLING = 1.0
AFTERWARDS = 1.5
"""Seconds in which the rest is still counted: a CSV file rewritten, a log folded in."""
QUIET = 0.5
"""Seconds without a change after which the rows are counted: reading megabytes takes CPU from all."""
PATIENCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One round of one contestant."""

    conversations: int
    seconds: float
    accepted: float
    cpu: float

    @property
    def rate(self) -> float:
        """Conversations a second."""
        return self.conversations / self.seconds


def rows(path: Path) -> int:
    """Count the rows; a transcript has line breaks, a row begins with the key of a conversation."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(line.startswith(b"ha-335-") for line in file)


def timed(recording: Path, url: str, count: int, path: Path, pid: int) -> Run:
    """Post the webhooks, wait for the rows, and say what it took, what comes after the rows included."""
    before = processes.cpu_seconds(pid)
    posted: list[dict[str, float]] = []
    poster = threading.Thread(
        target=lambda: posted.append(processes.post(recording, url, count, connections=CONNECTIONS))
    )
    poster.start()
    deadline = time.monotonic() + PATIENCE
    seen, changed = -1, time.perf_counter()
    while True:
        time.sleep(0.01)
        size = path.stat().st_size if path.exists() else 0
        if size != seen:
            seen, changed = size, time.perf_counter()
        elif not poster.is_alive() and time.perf_counter() - changed > QUIET and rows(path) >= count:
            break
        if time.monotonic() > deadline:
            raise TimeoutError(f"{rows(path)} of {count} rows after {PATIENCE:g} s")
    time.sleep(AFTERWARDS)
    cpu = (processes.cpu_seconds(pid) - before) * 1000 / count
    if posted[0]["failed"]:
        raise RuntimeError(f"{posted[0]['failed']:.0f} webhooks were refused")
    seconds = changed - posted[0]["began"]
    return Run(conversations=count, seconds=seconds, accepted=posted[0]["rate"], cpu=cpu)


def ours(recording: Path, work: Path, count: int) -> Run:
    """Measure ``chatferry serve``."""
    with (
        processes.replay(recording, DELAY) as api,
        processes.chatferry(work, api) as (serving, url),
    ):
        time.sleep(SETTLING)
        return timed(recording, url, count, work / "conversations.csv", serving.pid)


def baseline(recording: Path, work: Path, count: int) -> Run:
    """Measure the plain application, on the same server with as many threads."""
    work.mkdir(parents=True)
    (work / "query").write_text(recorded.load(recording).document)
    out = work / "conversations.csv"
    port = processes.free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1"]
    command += ["--blocking-threads", "64", "--backlog", "2048", "--port", str(port), "baseline_app:app"]
    with processes.replay(recording, DELAY) as api:
        environ = {
            "BASELINE_API": api,
            "BASELINE_QUERY": str(work / "query"),
            "BASELINE_SECRET": recorded.SECRET,
            "BASELINE_OUT": str(out),
        }
        with processes.process(command, environ=environ, cwd=processes.HERE) as serving:
            processes.wait_for(port)
            time.sleep(SETTLING)
            url = f"http://127.0.0.1:{port}/webhooks/iadvize"
            return timed(recording, url, count, out, serving.pid)


def median(runs: list[Run], of: Callable[[Run], float]) -> float:
    """Return the median of a figure."""
    return statistics.median(of(run) for run in runs)


def main() -> None:
    """Record, let the contestants take turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=3000)
    parser.add_argument("--baseline", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recording", type=Path, help="Keep the recording here for another run.")
    chosen = parser.parse_args()
    print(processes.machine())
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        recording = chosen.recording or work / "recording"
        if not recording.exists():
            recorded.record(chosen.conversations, recording)
        kept = recorded.load(recording)
        print(
            f"iAdvize recorded: {len(kept.conversations):,} conversations of {kept.average / 1000:.1f} kB,"
            f" replayed {DELAY * 1000:.0f} ms away"
        )
        found: dict[str, list[Run]] = {"chatferry": [], "all in the handler": []}
        for number in range(chosen.rounds):
            found["chatferry"].append(ours(recording, work / f"ours{number}", chosen.conversations))
            found["all in the handler"].append(
                baseline(recording, work / f"baseline{number}", chosen.baseline)
            )
    show(found)


def show(found: dict[str, list[Run]]) -> None:
    """Print what came of it."""
    print(f"{'':20}{'conversations':>14}{'a second':>10}{'(range)':>16}{'CPU ms each':>13}{'webhooks/s':>12}")
    for name, runs in found.items():
        rates = sorted(run.rate for run in runs)
        spread = f"{rates[0]:,.0f} to {rates[-1]:,.0f}"
        print(
            f"{name:20}{runs[0].conversations:>14,}{median(runs, lambda r: r.rate):>10,.0f}{spread:>16}"
            f"{median(runs, lambda r: r.cpu):>13.2f}{median(runs, lambda r: r.accepted):>12,.0f}"
        )
    first, second = found.values()
    speed = median(first, lambda r: r.rate) / median(second, lambda r: r.rate)
    cpu = median(second, lambda r: r.cpu) / median(first, lambda r: r.cpu)
    print(f"ratio: {speed:.1f} times the conversations a second, 1/{cpu:.1f} of the CPU a conversation")
    print("not in it: TLS, iAdvize's own limits, other events of a conversation, a CRM that is slow")


if __name__ == "__main__":
    main()
