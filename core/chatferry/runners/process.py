"""Tuning of a long-running process: thread niceness, GIL switch interval, garbage collector.

Webhooks come first: iAdvize waits for their acknowledgement, and for nothing else that chatferry does.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import suppress
from typing import Final

NICENESS: Final = 10
"""What is added to the niceness (nice(1)) of the loops, below the web process's priority."""

SWITCH_INTERVAL: Final = 0.0005
"""Seconds a thread may keep the GIL while another waits for it; Python's default is 0.005."""


def shorten_switch_interval() -> None:
    """Shorten the time that the threads of this process wait for the GIL.

    A thread that writes to the ledger needs it again after each statement, and the acceptance of a
    webhook waits for the ledger's write lock meanwhile.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)


def lower_priority() -> None:
    """Raise the niceness of this thread and of those it starts."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # not permitted everywhere, and not essential
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def tune_gc() -> None:
    """Freeze what exists by now, and collect less often.

    Libraries and schemas live as long as the process, and the objects of a batch are freed by their
    reference counts. Untuned, the collector takes about a tenth of the time of a conversation.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
