"""Large files, and changes by other programs: through the connector, as an operator would see it."""

import os
import shutil
import sqlite3
import time

import pytest

from chatferry import Receipt, TemporaryFailure
from chatferry_csv.index import IndexState
from chatferry_csv.store import INDEX, SMALL, seconds_to_wait

LONG = "a long transcript; " * 60


@pytest.fixture
def large(connect, lead, tmp_path):
    """Give a connector whose conversations file is too large to be rewritten at once."""
    connector = connect()
    connector.deliver([lead(n, text=LONG) for n in range(300)])
    assert (tmp_path / "conversations.csv").stat().st_size > SMALL
    return connector


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


def test_new_rows_of_a_large_file_are_there_at_once(large, lead, rows, tmp_path):
    inode = (tmp_path / "conversations.csv").stat().st_ino
    large.deliver([lead(1000)])
    assert rows()[-1]["key"] == "ha-335-001000"
    assert (tmp_path / "conversations.csv").stat().st_ino == inode


def test_changed_rows_of_a_large_file_are_published_by_themselves(large, lead, rows):
    large.deliver([lead(5, 1, text=LONG), lead(1000)])
    assert rows()[5]["version"] == "0"
    until(lambda: rows()[5]["version"] == "1")
    assert len(rows()) == 301


def test_changed_rows_are_published_at_close(large, lead, rows):
    large.deliver([lead(5, 1, text=LONG)])
    large.close()
    assert rows()[5]["version"] == "1"


def test_changed_rows_are_published_after_a_restart_without_any_lead(large, lead, connect, tmp_path):
    large.deliver([lead(5, 1, text=LONG)])
    before = tmp_path / "before"
    before.mkdir()
    for path in tmp_path.glob(".chatferry-csv*"):
        shutil.copy2(path, before)  # the index of a process that was killed now
    shutil.copy2(tmp_path / "conversations.csv", before)
    shutil.copy2(tmp_path / "contacts.csv", before)
    connect(directory=before)
    until(lambda: b",1," in (before / "conversations.csv").read_bytes())


def test_rows_added_while_a_change_waits_are_in_the_next_rewrite(large, lead, rows):
    large.deliver([lead(5, 1, text=LONG)])
    for number in range(1000, 1010):
        large.deliver([lead(number)])
    large.close()
    assert len(rows()) == 310
    assert rows()[5]["version"] == "1"


def test_the_same_content_again_writes_nothing(large, lead, tmp_path):
    before = (tmp_path / "conversations.csv").stat()
    (receipt,) = large.deliver([lead(5, text=LONG)])
    assert isinstance(receipt, Receipt)
    assert (tmp_path / "conversations.csv").stat() == before


def test_a_new_column_is_published_at_once_even_in_a_large_file(large, lead, rows):
    large.deliver([lead(1000, extra="new")])
    assert [rows()[0]["extra"], rows()[-1]["extra"]] == ["", "new"]


@pytest.mark.parametrize("cut", ["contacts", "conversations"])
def test_an_append_cut_off_at_any_byte_is_completed(connect, lead, tmp_path, cut):
    path = tmp_path / f"{cut}.csv"
    connect().deliver([lead(1)])
    base = path.stat().st_size
    connect().deliver([lead(2, text='a "quoted"\r\n, é cell')])
    whole = path.read_bytes()
    for size in range(base, len(whole)):
        os.truncate(path, size)
        (receipt,) = connect().deliver([lead(1)])
        assert path.read_bytes() == whole, f"cut at {size}"
        assert not receipt.notes


def test_a_rewrite_cut_off_before_the_exchange_is_completed(connect, lead, rows, tmp_path):
    path = tmp_path / "conversations.csv"
    connect().deliver([lead(1)])
    old = path.read_bytes()
    connect().deliver([lead(1, 2)])
    path.rename(tmp_path / ".conversations.csv.new")
    path.write_bytes(old)
    (receipt,) = connect().deliver([lead(3)])
    assert [row["version"] for row in rows()] == ["2", "0"]
    assert not receipt.notes
    assert not list(tmp_path.glob("*.edited*"))


def test_a_deleted_file_is_rewritten_in_full(connect, lead, rows, tmp_path):
    connect().deliver([lead(n) for n in range(5)])
    (tmp_path / "conversations.csv").unlink()
    (receipt,) = connect().deliver([lead(9)])
    assert len(rows()) == 6
    assert "was missing" in receipt.notes[0]


def test_an_edited_file_is_kept_beside_and_rewritten(connect, lead, rows, tmp_path):
    connector, path = connect(), tmp_path / "conversations.csv"
    connector.deliver([lead(1, text="ours"), lead(2)])
    path.write_text(path.read_text().replace("ours", "mine"))
    (receipt,) = connector.deliver([lead(3)])
    assert [row["text"] for row in rows()] == ["ours", "", ""]
    (kept,) = tmp_path.glob("conversations.edited-*.csv")
    assert "mine" in kept.read_text()
    assert kept.name in receipt.notes[0]


def test_a_row_appended_by_hand_is_kept_beside(connect, lead, rows, tmp_path):
    connector = connect()
    connector.deliver([lead(1)])
    with (tmp_path / "conversations.csv").open("a") as file:
        file.write("by hand\r\n")
    connector.deliver([lead(2)])
    assert len(rows()) == 2
    assert len(list(tmp_path.glob("conversations.edited-*.csv"))) == 1


def test_files_copied_elsewhere_go_on_there(connect, lead, rows, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    connect(directory=old).deliver([lead(1)])
    for path in old.iterdir():
        shutil.copy(path, tmp_path)
    (receipt,) = connect().deliver([lead(2)])
    assert len(rows()) == 2
    assert not receipt.notes


def test_a_lost_index_is_rebuilt_from_the_files(connect, lead, rows, tmp_path):
    first = connect()
    first.deliver([lead(n, text=f"=text {n}, é") for n in range(5)])
    first.close()
    for path in tmp_path.glob(".chatferry-csv*"):
        path.unlink()
    receipts = connect().deliver([lead(2, 9), lead(7)])
    assert [receipt.created for receipt in receipts] == [False, True]
    assert [row["version"] for row in rows()] == ["0", "0", "9", "0", "0", "0"]
    assert rows()[1]["text"] == "'=text 1, é"


def test_a_row_cut_off_in_a_file_without_index_is_left_out(connect, lead, rows, tmp_path):
    (tmp_path / "conversations.csv").write_text("key,contact_key,a\r\nk1,c1,1\r\nk1,c1,2\r\nk2,c2,2\r\nk3,")
    connect().deliver([lead(1)])
    assert [row["key"] for row in rows()] == ["k1", "k2", "ha-335-000001"]
    assert rows()[0]["a"] == "2"


@pytest.mark.parametrize("damage", [b"this is no database at all " * 200, b""])
def test_a_damaged_index_is_rebuilt_from_the_files(connect, lead, rows, tmp_path, damage):
    first = connect()
    first.deliver([lead(1), lead(2)])
    first.close()
    (tmp_path / INDEX).write_bytes(damage)
    connect().deliver([lead(2, 3), lead(3)])
    assert [row["version"] for row in rows()] == ["0", "3", "0"]


def test_an_index_damaged_in_the_middle_is_rebuilt(connect, lead, rows, tmp_path):
    first = connect()
    first.deliver([lead(n, text=LONG) for n in range(100)])
    first.close()
    with (tmp_path / INDEX).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    receipts = connect().deliver([lead(n, 1, text=LONG) for n in range(50, 150)])
    assert len(rows()) == 150
    assert any("damaged" in note for note in receipts[0].notes)


def test_everything_removed_while_running_starts_again(connect, lead, rows, tmp_path):
    connector = connect()
    connector.deliver([lead(1)])
    for path in tmp_path.iterdir():
        path.unlink()
    connector.deliver([lead(2)])
    assert [row["key"] for row in rows()] == ["ha-335-000002"]


def test_an_index_of_a_later_version_is_refused_in_words(connect, lead, tmp_path):
    connect().deliver([lead(1)])
    later = tmp_path / "later"
    later.mkdir()
    with sqlite3.connect(later / INDEX) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(TemporaryFailure, match="another version"):
        connect(directory=later).deliver([lead(1)])


def test_what_is_made_is_readable_to_its_owner_alone(connect, lead, tmp_path):
    before = os.umask(0o022)
    try:
        connector = connect()
        connector.deliver([lead(1)])
        connector.deliver([lead(1, 2), lead(2)])
    finally:
        os.umask(before)
    made = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.is_file()}
    assert {mode for name, mode in made.items() if not name.endswith(".lock")} == {0o600}
    assert {".chatferry-csv.index", "contacts.csv", "conversations.csv"} <= made.keys()


def test_an_index_that_others_could_read_is_taken_back(connect, lead, tmp_path):
    connect().deliver([lead(1)])
    index = tmp_path / ".chatferry-csv.index"
    index.chmod(0o644)
    connect().deliver([lead(2)])
    assert index.stat().st_mode & 0o777 == 0o600


def test_a_group_may_be_let_in(connect, lead, tmp_path):
    connect(mode="0640").deliver([lead(1)])
    assert (tmp_path / "contacts.csv").stat().st_mode & 0o777 == 0o640


def test_the_permissions_of_a_file_survive_a_rewrite(connect, lead, tmp_path):
    connector, path = connect(), tmp_path / "contacts.csv"
    connector.deliver([lead(1)])
    path.chmod(0o640)
    connector.deliver([lead(1, 2)])
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("took", "ago", "wait"), [(10, 0, 190), (10, 100, 90), (0.01, 1, 0), (10, -3600, 190)]
)
def test_rewrites_take_a_twentieth_of_the_time_at_most(took, ago, wait):
    state = IndexState(
        id=1,
        name="contacts.csv",
        columns=[],
        destination="",
        delimiter=",",
        encoding="utf-8",
        last=0,
        took=took,
        published_at=time.time() - ago,
    )
    assert max(seconds_to_wait(state), 0) == pytest.approx(wait, abs=1)


def test_what_a_receipt_stands_for_is_durable(connect, lead):
    """A commit that the disk has not got would be lost with the power, after the receipt."""
    connector = connect()
    connector.deliver([lead(1)])
    database = connector._store._index._db
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA secure_delete").fetchone() == (1,)
