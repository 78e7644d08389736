"""How a long-running process treats the processor, Python's interpreter lock and garbage collector.

Accepting webhooks comes first: iAdvize waits for it, and for nothing else that chatferry does.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import suppress
from typing import Final

NICENESS: Final = 10
"""How much nicer than the web process the loops are, on the scale of nice(1)."""

SWITCH_INTERVAL: Final = 0.0005
"""Seconds a thread keeps Python's interpreter while another wants it; Python's own choice is 0.005."""


def shorten_switch_interval() -> None:
    """Let no thread of this process wait long for the interpreter.

    One that writes to the ledger has to get it back after each statement, and whoever accepts a webhook
    waits until it has done so for the last.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)


def lower_priority() -> None:
    """Let other threads have the processor first: raises the niceness of this thread and those it starts."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a thread nobody may make nicer works all the same
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def tune_gc() -> None:
    """Exclude what exists by now from garbage collection, and collect less often.

    Libraries and schemas live for ever, and what comes with a batch is freed without a collection.
    Untuned, the collector takes about a tenth of the time a conversation takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
