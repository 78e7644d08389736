"""Accepting webhooks comes first: iAdvize waits for it, and for nothing else that chatferry does."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import Final

STEP: Final = 10
"""How much nicer than the web process the loops are, on the scale of nice(1)."""

TURN: Final = 0.0005
"""Seconds a thread keeps Python's interpreter while another wants it; Python's own choice is 0.005."""


def take_short_turns() -> None:
    """Let no thread of this process wait long for the interpreter.

    One that writes to the ledger has to get it back after each statement, and whoever accepts a webhook
    waits until it has done so for the last.
    """
    sys.setswitchinterval(TURN)


def step_back() -> None:
    """Let others have the processor before this thread and those it starts, where threads differ in that."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a thread nobody may make nicer works all the same
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + STEP)
