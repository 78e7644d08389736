"""Disks that are full, and files that may not be written."""

import os
import resource
import tempfile
from pathlib import Path

import pytest

from chatferry import Level, TemporaryFailure

UNPRIVILEGED = 65_534


@pytest.fixture
def file_limit():
    """Limit how large a file of this process may become, which is a full disk as far as writing goes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_temporary_at_whatever_byte_it_fills_up(connect, lead, rows, tmp_path, file_limit):
    connect().deliver([lead(n, text="x" * 3000) for n in range(120)])
    path, unlimited = tmp_path / "conversations.csv", resource.RLIM_INFINITY
    for number, room in enumerate(range(0, 70_000, 4999), start=1000):
        before = path.read_bytes()
        failed = None
        connector = connect()
        file_limit(path.stat().st_size + room)
        try:
            connector.deliver([lead(number, text="y" * 30_000), lead(number + 500, text="y" * 30_000)])
        except TemporaryFailure as error:
            failed = error
        file_limit(unlimited)
        if failed:
            assert "full" in failed.message or "no room" in failed.message
            assert path.read_bytes() == before, "something is half-written"
        connector.deliver([lead(number), lead(number + 500)])
        assert {f"ha-335-{number:06d}", f"ha-335-{number + 500:06d}"} <= {row["key"] for row in rows()}
    assert len({row["key"] for row in rows()}) == len(rows())


@pytest.fixture
def closed():
    """A read-only directory; root, who may write everywhere, takes another user id meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        path, root = Path(folder), os.geteuid() == 0
        path.chmod(0o555)
        if root:
            os.seteuid(UNPRIVILEGED)
        yield path
        if root:
            os.seteuid(0)
        path.chmod(0o755)


def test_a_directory_without_permission_is_temporary_and_named(connect, lead, closed):
    connector = connect(directory=closed)
    with pytest.raises(TemporaryFailure, match="may not be written"):
        connector.deliver([lead(1)])
    assert Level.ERROR in {finding.level for finding in connector.check()}


def test_a_directory_that_is_a_file_is_temporary_and_named(connect, lead, tmp_path):
    (tmp_path / "leads").write_text("")
    connector = connect(directory=tmp_path / "leads")
    with pytest.raises(TemporaryFailure, match="does not exist"):
        connector.deliver([lead(1)])
