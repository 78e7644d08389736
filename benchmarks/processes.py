"""Start what is measured, look at what it costs, and end it again."""

from __future__ import annotations

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import recorded

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
# Whoever ends a benchmark ends what it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def machine() -> str:
    """Return what the figures were measured on."""
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({platform.machine()}), Python"
        f" {platform.python_version()}, load average before the run {load}"
    )


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def family(root: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [root]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*"):
            try:
                found += map(int, (task / "children").read_text().split())
            except OSError:
                continue
    return found


def cpu_seconds(root: int) -> float:
    """Return the CPU time of a process and its descendants so far."""
    total = 0
    for one in family(root):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory(root: int) -> dict[str, float]:
    """Return the PSS of a process and its descendants in MB, by command; shared pages count once."""
    found: dict[str, float] = {}
    for one in family(root):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            command = Path(f"/proc/{one}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        pss = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        name = "main" if one == root else "web" if "spawn_main" in command else "other"
        found[name] = found.get(name, 0.0) + pss * 1024 / 1e6
    return found


@contextmanager
def process(
    command: Sequence[str | Path], *, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a command; SIGTERM it at the end, and SIGKILL what remains of its family."""
    env = {**os.environ, **(environ or {})}
    with subprocess.Popen(
        list(map(str, command)), env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        try:
            yield started
        finally:
            relatives = family(started.pid)
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                for one in relatives:
                    os.kill(one, signal.SIGKILL)


def wait_for(port: int, seconds: float = 20.0) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def replay(recording: Path, delay: float) -> Iterator[str]:
    """Serve a recording; yield its URL."""
    with process([sys.executable, HERE / "recorded.py", recording, str(delay)]) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()


def post(
    recording: Path, url: str, count: int, *, connections: int = 32, rate: float | None = None
) -> dict[str, float]:
    """Post webhooks from another process and return how it went."""
    command = [sys.executable, HERE / "load.py", recording, url, "--count", str(count)]
    command += ["--connections", str(connections), *(["--rate", str(rate)] if rate else [])]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


CONFIG = """
database = "sqlite:///chatferry.db"
[web]
port = {port}
[iadvize]
secrets = ["env:IADVIZE_SECRET"]
[[iadvize.clients]]
platform = "ha"
client_id = 335
username = "env:IADVIZE_USER"
password = "env:IADVIZE_PASSWORD"
api_url = "{api}"
[reconcile]
at_start = false
every = 0
[log]
level = "warning"
{more}
[destinations.files]
connector = "csv"
"""

SECRETS = {"IADVIZE_SECRET": recorded.SECRET, "IADVIZE_USER": "user", "IADVIZE_PASSWORD": "password"}


@contextmanager
def chatferry(
    directory: Path, api: str, *arguments: str, more: str = ""
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``chatferry serve`` in an empty directory; yield the process and the webhooks' URL."""
    port = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "chatferry.toml").write_text(CONFIG.format(port=port, api=api, more=more))
    command = [sys.executable, "-m", "chatferry", "serve", *arguments]
    with process(command, environ=SECRETS, cwd=directory) as started:
        wait_for(port)
        yield started, f"http://127.0.0.1:{port}/webhooks/iadvize"
