from __future__ import annotations

import sys
import threading
from subprocess import PIPE, Popen

import pytest

from chatferry.errors import LedgerUnavailable
from chatferry.ledger.writer_queue import WriterQueue

HOLD = """
import sys
from pathlib import Path
from chatferry.ledger.writer_queue import WriterQueue
with WriterQueue(Path(sys.argv[1])).enter():
    print("held", flush=True)
    input()
"""


@pytest.fixture
def queue(tmp_path):
    made = WriterQueue(tmp_path / "ledger.db", timeout=0.1)
    yield made
    made.close()


def test_a_process_that_hangs_while_it_writes_is_waited_for_with_an_end(queue, tmp_path):
    with Popen([sys.executable, "-c", HOLD, tmp_path / "ledger.db"], stdin=PIPE, stdout=PIPE) as process:
        process.stdout.readline()
        for _ in range(2):
            with pytest.raises(LedgerUnavailable, match="did not end its change"), queue.enter():
                pytest.fail("two write at once")
        process.kill()
        process.wait()
        with queue.enter():
            pass


def test_so_is_a_thread(queue):
    refused = []

    def ask():
        with pytest.raises(LedgerUnavailable) as caught, queue.enter():
            pytest.fail("two write at once")
        refused.append(caught)

    with queue.enter():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert len(refused) == 1
    with queue.enter():
        pass
