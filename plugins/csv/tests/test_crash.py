"""kill -9 at any moment, and several processes at once: real processes, real files."""

import csv
import os
import random
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest

from chatferry import TemporaryFailure

WRITER = Path(__file__).with_name("writer.py")


@pytest.fixture
def start(tmp_path):
    """Start a writer process; it is gone when the test ends."""
    processes = []

    def one(*arguments):
        command = [sys.executable, str(WRITER), str(tmp_path), *map(str, arguments)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield one
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_every_receipt_survives_a_loss_of_power(connect, lead, tmp_path, monkeypatch):
    """A file is as safe as its last flush: it is flushed in full before a receipt is returned."""
    flushed = {}

    def fsync(descriptor):
        found = os.fstat(descriptor)
        flushed[found.st_ino] = found.st_size
        real(descriptor)

    real = os.fsync
    monkeypatch.setattr(os, "fsync", fsync)
    connector = connect()
    for count in (1, 400, 3):  # a new file, one that grows large, one that is added to
        connector.deliver([lead(count * 1000 + n, text="long " * 300) for n in range(count)])
        for name in ("contacts.csv", "conversations.csv"):
            file = (tmp_path / name).stat()
            assert flushed[file.st_ino] == file.st_size
        assert flushed[tmp_path.stat().st_ino]  # the files' names as well


def test_a_disk_without_room_is_noticed_before_anything_is_written(connect, lead, rows, monkeypatch):
    connector = connect()
    connector.deliver([lead(1)])
    full = os.statvfs_result([4096, 4096, 10**6, 1, 1, 10, 10, 10, 0, 255])
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    with pytest.raises(TemporaryFailure, match="no room left"):
        connector.deliver([lead(2, text="x" * 4096)])
    monkeypatch.undo()
    assert [row["key"] for row in rows()] == ["ha-335-000001"]
    connector.deliver([lead(2)])
    assert len(rows()) == 2


def _receipts(lines, into):
    for line in lines:
        key, _, version = line.strip().partition(" ")
        if version and line.endswith("\n"):
            into[key] = max(into.get(key, 0), int(version))


def test_every_receipt_survives_kill_9(start, connect, lead, rows):
    chance, receipts = random.Random(4), {}
    for seed in range(1, 7):
        process = start(0, 1000, seed)
        assert process.stdout.readline() == "ready\n"
        _receipts(islice(process.stdout, chance.randrange(300)), receipts)  # however fast the machine is
        time.sleep(chance.uniform(0.0, 0.02))
        process.kill()
        _receipts(process.stdout, receipts)
        connect().deliver([lead(999_999, text="")])
        assert {row["key"] for row in rows()} >= set(receipts)
    connector = connect()
    connector.deliver([lead(999_999)])
    connector.close()
    found = {row["key"]: row["version"] for row in rows()}
    assert len(found) == len(rows()), "a key came twice"
    assert len(receipts) > 100
    for key, version in receipts.items():
        assert int(found[key]) >= version, key
    assert len({row["contact_key"] for row in rows("contacts")}) == len(rows("contacts"))


def test_two_processes_write_and_a_third_reads(start, rows, tmp_path):
    path, looks = tmp_path / "conversations.csv", 0
    writers = [start(0, 600, 1, 25), start(300, 600, 2, 25)]
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            _whole_rows(path)
            looks += 1
        time.sleep(0.002)
    receipts = {}
    for writer in writers:
        _receipts(writer.stdout, receipts)
        assert writer.returncode == 0
    found = [row["key"] for row in rows()]
    assert sorted(found) == sorted(receipts)
    assert len(rows("contacts")) == 50
    assert looks > 10


def _whole_rows(path):
    """Read as a cautious reader does: only the very last row may be unfinished."""
    text = path.read_bytes().decode("utf-8", "replace")
    header, *found = csv.reader(text.splitlines(keepends=True))
    if not text.endswith("\r\n") or (found and len(found[-1]) != len(header)):
        found = found[:-1]
    assert {len(row) for row in found} <= {len(header)}
    keys = [row[0] for row in found]
    assert len(set(keys)) == len(keys)
