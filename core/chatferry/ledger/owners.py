"""Who leases: names for processes that say whether the process they belong to still runs.

A process is known to be gone only where its name proves it: it was started on this machine since
it was last switched on, among the same processes, and its number is free or another's by now. Two
containers may share a host name and both be number 1, so neither proves anything. Of everybody
else the leases run out.
"""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE: Final = Path("/proc/self/ns/pid")
_START, _STATE = 19, 0
"""Which words after the program's name in ``/proc/<pid>/stat`` say when it started and how it is."""


def new_owner() -> str:
    """Return a name for this process, another one at each call."""
    pid = os.getpid()
    words = _stat(pid)
    started = words[_START] if words else ""
    return f"{_machine()}:{pid}:{started}:{uuid.uuid4().hex[:8]}"


def is_gone(owner: str) -> bool:
    """Whether the process of an owner is known not to run any more."""
    parts = owner.split(":")
    if len(parts) != 4 or parts[0] != _machine() or not parts[1].isdigit():  # noqa: PLR2004  (as new_owner makes them)
        return False
    pid, started = int(parts[1]), parts[2]
    if not _runs(pid):
        return True
    words = _stat(pid)
    return bool(words and started) and (words[_START] != started or words[_STATE] in "ZX")


def _machine() -> str:
    """Name this machine since it was switched on, and the processes we see; a number names one of those."""
    try:
        return f"{_BOOT.read_text().strip()}/{_NAMESPACE.readlink().name.strip('pid:[]')}"
    except OSError:  # not Linux
        return socket.gethostname().replace(":", "-")[:64]


def _stat(pid: int) -> list[str]:
    """Return what follows the program's name, which may hold anything; nothing where nobody says."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
