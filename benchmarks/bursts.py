"""How bursts of connections are answered: chatferry's server beside what it was and what it could be.

    pip install -r benchmarks/requirements.txt
    python benchmarks/bursts.py [--sizes 1000 2000 3500 6000] [--rounds 2]

Every contestant stores each webhook durably before it answers; they take turns, afresh in an empty directory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import processes
from accept import granian, serving, settings, waitress


def front_on_uvicorn(app: str, port: int) -> list[str]:
    """Return the command that serves chatferry's ASGI front on uvicorn."""
    options = ["--http", "httptools", "--loop", "asyncio", "--backlog", "4096", "--log-level", "error"]
    return [sys.executable, "-m", "uvicorn", "--factory", *options, "--port", str(port), f"apps:{app}"]


def quiet_waitress(app: str, port: int) -> list[str]:
    """Return the command for waitress, which writes a line for every request that waits."""
    return ["sh", "-c", 'exec "$0" "$@" 2>/dev/null', *waitress(app, port)]


def begin(command: Callable[[str, int], list[str]], app: str) -> Callable[[Path, ExitStack], str]:
    """Return how a contestant is started in a directory."""

    def start(work: Path, stack: ExitStack) -> str:
        port = processes.free_port()
        return stack.enter_context(serving(command(app, port), port, settings(work)))

    return start


def chatferry(work: Path, stack: ExitStack) -> str:
    """Start ``chatferry serve --web-only``."""
    return stack.enter_context(processes.chatferry(work, "http://127.0.0.1:1", "--web-only"))[1]


CONTESTANTS: dict[str, Callable[[Path, ExitStack], str]] = {
    "chatferry serve --web-only": chatferry,
    "Flask on granian, WSGI (before)": begin(granian, "chatferry"),
    "front on uvicorn": begin(front_on_uvicorn, "chatferry_front"),
    "Flask on waitress": begin(quiet_waitress, "chatferry"),
}


def dropped() -> int:
    """Return how many connections this system's kernel dropped so far because a server's queue was full."""
    names, values = (
        line.split()
        for line in Path("/proc/net/netstat").read_text().splitlines()
        if line.startswith("TcpExt:")
    )
    return int(values[names.index("ListenDrops")])


def post(url: str, count: int) -> dict[str, Any]:
    """Post a burst from another process."""
    command = [sys.executable, str(processes.HERE / "burst_load.py"), url, str(count)]
    before = dropped()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    found["dropped"] = dropped() - before
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2000, 3500, 6000])
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    print(processes.machine())
    print("somaxconn", Path("/proc/sys/net/core/somaxconn").read_text().strip())
    found: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for _ in range(chosen.rounds):
        for name, start in CONTESTANTS.items():
            with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
                url = start(Path(folder), stack)
                post(url, 200)  # warm
                for size in chosen.sizes:
                    found[size, name].append(post(url, size))
    for size in chosen.sizes:
        print(
            f"\n{size} connections at once{'':14}{'p50 s':>9}{'p99 s':>9}{'last s':>9}{'dropped':>9}  ended"
        )
        for name in CONTESTANTS:
            runs = found[size, name]
            times = "".join(
                f"{statistics.median(run[p] for run in runs):>9.2f}" for p in ("p50", "p99", "p100")
            )
            lost = max(run["dropped"] for run in runs)
            print(f"{name:36}{times}{lost:>9}  {[run['ended'] for run in runs]}")


if __name__ == "__main__":
    main()
