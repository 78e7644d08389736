"""A stack trace is short: from the runner's loop to a connector few frames of ours lie between."""

from __future__ import annotations

import sys
import threading
import traceback
from pathlib import Path

from sqlalchemy import event

import chatferry
from chatferry import Receipt
from chatferry.runners.local import LocalRunner

OURS = str(Path(chatferry.__file__).parent)


def our_frames(thread: threading.Thread) -> list[str]:
    """Return the functions of ours on a thread's stack, outermost first."""
    stack = traceback.extract_stack(sys._current_frames()[thread.ident])
    return [frame.name for frame in stack if frame.filename.startswith(OURS)]


def test_from_the_runners_loop_to_a_connectors_deliver_are_at_most_eight_frames(ferry):
    ferry.tell_closed(*ferry.play())
    found: list[list[str]] = []

    def look(leads):
        loop = next(thread for thread in threading.enumerate() if thread.name == "deliver-crm")
        found.append(our_frames(loop) + our_frames(threading.current_thread()))
        return [Receipt()] * len(leads)

    ferry.crm.next(look)
    with LocalRunner(ferry.engine, reconciling=False):
        while not found:
            pass
    (names,) = found
    assert names[0] == "_loop"
    assert len(names) <= 8, names


def test_a_batch_is_delivered_in_three_transactions(ferry):
    ferry.tell_closed(*ferry.play(3))
    ferry.engine.sync()
    begun: list[object] = []
    event.listen(ferry.ledger.database.engine, "begin", begun.append)
    assert ferry.engine.deliver("crm") == 3
    assert len(begun) == 3, "one looks for a batch, one leases it, one records it and its destination"
