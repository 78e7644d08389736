"""How fast webhooks are accepted, with durable commits, beside handlers that commit nothing.

    pip install -r benchmarks/requirements.txt
    python benchmarks/accept.py [--count 2000] [--rounds 3] [--parts speed]

Three questions, each answered by contestants that take turns in one run, on one machine, loaded over
kept-open connections by a process of its own:

1. At full speed: ``chatferry serve --web-only`` beside a Flask handler that does nothing, on the same
   server, without the front that guards the threads.
2. At a given rate: the latency of ``chatferry serve`` (which fetches and writes CSV meanwhile) beside
   FastAPI with ``BackgroundTasks``, which commits nothing and fetches and writes in the background.
3. Which server: chatferry's application behind its front, and on granian, waitress and gunicorn without.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import processes
import recorded

DELAY = 0.08
CONNECTIONS = 64
THREADS = "64"
CONVERSATIONS = 500
PARTS = ("speed", "latency", "servers")
Found = dict[str, list[dict[str, float]]]


@contextmanager
def serving(command: Sequence[str], port: int, environ: dict[str, str] | None = None) -> Iterator[str]:
    """Run a server of one of ``apps.py``; yield the webhooks' URL."""
    with processes.process(command, environ=environ, cwd=processes.HERE):
        processes.wait_for(port)
        yield f"http://127.0.0.1:{port}/webhooks/iadvize"


def granian(app: str, port: int) -> list[str]:
    """Return the command that serves ``app`` on granian's own threads, without chatferry's front."""
    options = ["--interface", "wsgi", "--factory", "--workers", "1", "--blocking-threads", THREADS]
    options += ["--backlog", "2048", "--no-ws", "--no-log", "--port", str(port)]
    return [sys.executable, "-m", "granian", *options, f"apps:{app}"]


def waitress(app: str, port: int) -> list[str]:
    """Return the command for waitress."""
    options = ["--threads", THREADS, "--listen", f"127.0.0.1:{port}", "--connection-limit", "2048"]
    return [sys.executable, "-m", "waitress", *options, "--call", f"apps:{app}"]


def gunicorn(app: str, port: int) -> list[str]:
    """Return the command for gunicorn with threads, one process as the others."""
    options = ["--worker-class", "gthread", "--workers", "1", "--threads", THREADS, "--backlog", "2048"]
    options += ["--keep-alive", "75", "--log-level", "error", "--bind", f"127.0.0.1:{port}"]
    return [sys.executable, "-m", "gunicorn", *options, f"apps:{app}()"]


def settings(work: Path) -> dict[str, str]:
    """Write a configuration and return the environment that names it."""
    (work / "chatferry.toml").write_text(processes.CONFIG.format(port=1, api="http://127.0.0.1:1", more=""))
    return {**processes.SECRETS, "CHATFERRY_CONFIG": str(work / "chatferry.toml")}


def alternating(
    contestants: dict[str, Callable[[Path, ExitStack], str]],
    rounds: int,
    measure: Callable[[str], dict[str, float]],
) -> Found:
    """Let the contestants take turns, each afresh in an empty directory; nothing else runs meanwhile."""
    found: Found = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, start in contestants.items():
            with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
                url = start(Path(folder), stack)
                found[name].append(measure(url))
    return found


def middle(runs: Sequence[dict[str, float]], name: str) -> float:
    """Return the median of a figure."""
    return statistics.median(run[name] for run in runs)


def table(title: str, found: Found) -> None:
    """Print the medians, and each rate's share of the first one's."""
    print(f"\n{title}")
    print(f"{'':32}{'requests/s':>12}{'ratio':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'refused':>9}")
    first = middle(next(iter(found.values())), "rate")
    for name, runs in found.items():
        times = "".join(f"{middle(runs, p) * 1000:>9.1f}" for p in ("p50", "p95", "p99"))
        rate = middle(runs, "rate")
        print(f"{name:32}{rate:>12,.0f}{rate / first:>8.2f}{times}{sum(run['failed'] for run in runs):>9.0f}")


def main() -> None:  # noqa: C901  (three questions, asked one after the other)
    """Record, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=100.0, help="Webhooks a second for the latencies.")
    parser.add_argument("--seconds", type=float, default=5.0, help="How long at that rate.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="Which questions.")
    chosen = parser.parse_args()
    print(processes.machine())
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        kept = recorded.record(CONVERSATIONS, recording)
        query = Path(folder) / "query"
        query.write_text(kept.document)

        def full_speed(url: str) -> dict[str, float]:
            processes.post(recording, url, chosen.count // 4, connections=CONNECTIONS)  # warm
            return processes.post(recording, url, chosen.count, connections=CONNECTIONS)

        def paced(url: str) -> dict[str, float]:
            processes.post(
                recording, url, int(2 * chosen.rate), connections=CONNECTIONS, rate=chosen.rate
            )  # warm
            count = int(chosen.rate * chosen.seconds)
            return processes.post(recording, url, count, connections=CONNECTIONS, rate=chosen.rate)

        def nothing(_work: Path, stack: ExitStack) -> str:
            port = processes.free_port()
            return stack.enter_context(serving(granian("noop", port), port))

        def web_only(work: Path, stack: ExitStack) -> str:
            return stack.enter_context(processes.chatferry(work, "http://127.0.0.1:1", "--web-only"))[1]

        def whole(work: Path, stack: ExitStack) -> str:
            api = stack.enter_context(processes.replay(recording, DELAY))
            return stack.enter_context(processes.chatferry(work, api))[1]

        def background(work: Path, stack: ExitStack) -> str:
            api, port = stack.enter_context(processes.replay(recording, DELAY)), processes.free_port()
            environ = {"BASELINE_API": api, "BASELINE_QUERY": str(query)}
            environ |= {"BASELINE_SECRET": recorded.SECRET, "BASELINE_OUT": str(work / "out.csv")}
            command = [sys.executable, "-m", "uvicorn", "background_app:app"]
            command += ["--port", str(port), "--log-level", "error"]
            return stack.enter_context(serving(command, port, environ))

        def on(make: Callable[[str, int], list[str]]) -> Callable[[Path, ExitStack], str]:
            def start(work: Path, stack: ExitStack) -> str:
                port = processes.free_port()
                return stack.enter_context(serving(make("chatferry", port), port, settings(work)))

            return start

        if "speed" in chosen.parts:
            pair = {"no-op Flask": nothing, "chatferry, durable": web_only}
            speed = alternating(pair, chosen.rounds, full_speed)
            table(f"1. at full speed, {CONNECTIONS} connections", speed)
        if "latency" in chosen.parts:
            three = {"FastAPI BackgroundTasks": background, "chatferry serve": whole}
            latency = alternating({**three, "chatferry --web-only": web_only}, chosen.rounds, paced)
            table(f"2. at {chosen.rate:g} webhooks a second, iAdvize {DELAY * 1000:.0f} ms away", latency)
            theirs, ours = (middle(runs, "p99") for runs in list(latency.values())[:2])
            print(f"p99 of chatferry serve: {ours / theirs:.2f} times that of BackgroundTasks")
        if "servers" in chosen.parts:
            servers = {"chatferry serve --web-only": web_only, "granian, WSGI": on(granian)}
            servers |= {"waitress": on(waitress), "gunicorn gthread": on(gunicorn)}
            table("3. chatferry's application by server", alternating(servers, chosen.rounds, full_speed))
        print("\nnot in it: TLS, a reverse proxy, a disk whose flush takes milliseconds")
        print(f"one flush to this disk takes {flush() * 1000:.2f} ms (median)")


def flush() -> float:
    """Return what one fsync of a small append takes here."""
    times = []
    with tempfile.NamedTemporaryFile(buffering=0) as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
