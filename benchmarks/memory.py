"""What ``chatferry serve`` holds in memory: at rest, and after many events.

    python benchmarks/memory.py [--events 100000] [--conversations 20000]

The figure is PSS, the sum over all processes, where a page that several share counts once. Webhooks
about recorded conversations are posted in waves and carried into CSV; after the first wave, which
warms caches, threads and connections up, the figure should stay where it is. Each wave is measured
once everything it brought is delivered.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path

import processes
import recorded

WAVES = 5
REST = 3.0
PATIENCE = 1800.0
"""Seconds after which the rest of the waves is left out."""


def waiting(ledger: Path) -> int:
    """Return how much is still to be read or delivered."""
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        queries = ("conversations", "deliveries")
        counts = [
            connection.execute(f"SELECT count(*) FROM {table} WHERE due_at IS NOT NULL").fetchone()[0]
            for table in queries
        ]
    finally:
        connection.close()
    return sum(counts)


def line(events: int, found: dict[str, float]) -> str:
    """Return the figures of one look."""
    parts = "".join(f"{found.get(name, 0.0):>8.1f}" for name in ("main", "web", "other"))
    return f"{events:>12,}{sum(found.values()):>10.1f}{parts}"


def main() -> None:
    """Measure at rest and after each wave."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--conversations", type=int, default=20_000)
    chosen = parser.parse_args()
    print(processes.machine())
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        work, recording = Path(folder) / "work", Path(folder) / "recording"
        recorded.record(chosen.conversations, recording)
        print(f"\nPSS in MB\n{'events':>12}{'all':>10}{'main':>8}{'web':>8}{'other':>8}")
        with processes.chatferry(work, "http://127.0.0.1:1") as (serving, _):
            time.sleep(REST)
            print(
                line(0, processes.memory(serving.pid)), " at rest, the very first start: it made the ledger"
            )
        with (
            processes.replay(recording, 0.08) as api,
            processes.chatferry(work, api) as (serving, url),
        ):
            time.sleep(REST)
            at_rest = processes.memory(serving.pid)
            print(line(0, at_rest), " at rest, any later start", flush=True)
            warm, last = 0.0, 0.0
            for wave in range(1, WAVES + 1):
                processes.post(recording, url, chosen.events // WAVES, connections=64)
                while waiting(work / "chatferry.db") and time.monotonic() - began < PATIENCE:
                    time.sleep(0.5)
                time.sleep(REST)
                found = processes.memory(serving.pid)
                last = sum(found.values())
                warm = warm or last
                print(line(wave * chosen.events // WAVES, found), flush=True)
                if time.monotonic() - began > PATIENCE:
                    print("out of time: the rest of the waves is left out")
                    break
        print(
            f"\nat rest {sum(at_rest.values()):.0f} MB; after the last wave {last / warm:.2f} times the first"
        )
        each = chosen.events // chosen.conversations
        print(f"{each} events a conversation; the ledger grows with each wave. Not in it: growth over weeks.")


if __name__ == "__main__":
    main()
