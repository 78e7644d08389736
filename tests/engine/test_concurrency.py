"""Several processes, each with several threads, on one ledger: no piece of work is done twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from private_values import IADVIZE_PASSWORD, IADVIZE_USER, WEBHOOK_SECRET, refuse_private

from chatferry.ledger import Ledger

PROCESSES = 3
CONVERSATIONS = 60


def test_processes_and_threads_on_one_ledger_never_do_the_same_work(ferry, ledger_url, tmp_path):
    ids = ferry.play(CONVERSATIONS)
    alone = read_by_one(ferry, ids, f"sqlite:///{tmp_path}/alone.db")
    ferry.tell_closed(*ids)
    book, stop = tmp_path / "delivered.txt", tmp_path / "stop"
    worker = Path(__file__).with_name("worker.py")
    command = [sys.executable, str(worker), ledger_url, ferry.url, str(book), str(stop)]
    secrets = {
        "IADVIZE_SECRET": WEBHOOK_SECRET,
        "IADVIZE_USER": IADVIZE_USER,
        "IADVIZE_PASSWORD": IADVIZE_PASSWORD,
    }
    log = tmp_path / "log.txt"
    with log.open("wb") as shown:
        running = [
            subprocess.Popen(command, env={**os.environ, **secrets}, stdout=shown, stderr=shown)
            for _ in range(PROCESSES)
        ]
    try:
        deadline = time.monotonic() + 100
        while not book.exists() or len(book.read_text().splitlines()) < CONVERSATIONS:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stop.touch()
        assert [process.wait(60) for process in running] == [0] * PROCESSES
    finally:
        for process in running:
            process.kill()
            process.wait()
    refuse_private(log.read_text())
    assert Counter(book.read_text().splitlines()) == dict.fromkeys(map(ferry.key, ids), 1)
    assert ferry.world.counters["conversations asked for"] == 2 * alone


def read_by_one(ferry, ids, database) -> int:
    """Return how many conversations one process asks for; long ones are asked for page by page."""
    engine = ferry.another(Ledger.open(database))
    ferry.tell_to(engine, *(ferry.webhook(one) for one in ids))
    ferry.run(engine)
    return ferry.world.counters["conversations asked for"]
