import csv
import logging
from dataclasses import replace

import pytest
from marshmallow import ValidationError

from chatferry import Level, PermanentFailure, Receipt, Record, TemporaryFailure
from chatferry.leads.mapping import compile_mapping
from chatferry.settings.model import FieldSettings
from chatferry.testing import make_lead
from chatferry_csv import CsvConnector


def test_a_lead_becomes_a_row_in_each_file(connect, lead, rows):
    (receipt,) = connect().deliver([lead(1, text="hello")])
    assert receipt.created
    assert rows("contacts") == [{"contact_key": "v1@example.org", "email": "v1@example.org", "version": "0"}]
    (row,) = rows()
    assert (row["key"], row["contact_key"], row["text"]) == ("ha-335-000001", "v1@example.org", "hello")


def test_a_receipt_shows_no_address(connect, lead):
    (receipt,) = connect().deliver([lead(1)])
    assert receipt.ids["conversation"] == "ha-335-000001"
    assert "@" not in repr(receipt)


def test_a_row_is_updated_in_place(connect, lead, rows):
    connector = connect()
    connector.deliver([lead(1), lead(2), lead(3)])
    (receipt,) = connector.deliver([lead(2, 7)])
    assert not receipt.created
    assert [row["version"] for row in rows()] == ["0", "7", "0"]


def test_the_last_of_a_batch_wins_and_all_get_a_receipt(connect, lead, rows):
    receipts = connect().deliver([lead(1, 1), lead(1, 2), lead(2, 1, contact=1)])
    assert all(isinstance(receipt, Receipt) for receipt in receipts)
    assert [row["version"] for row in rows()] == ["2", "1"]
    assert [row["version"] for row in rows("contacts")] == ["1"]


def test_modes_meet_what_is_there(connect, lead, rows):
    connector = connect()
    first = Record(values={"a": "1", "gone": "x"}, fill_if_empty={"b": "1", "c": ""}, create_only={"d": "1"})
    later = Record(
        values={"a": "2", "gone": None}, fill_if_empty={"b": "2", "c": "2"}, create_only={"d": "2"}
    )
    connector.deliver([lead(1, conversation=first)])
    connector.deliver([lead(1, conversation=later)])
    (row,) = rows()
    assert [row[name] for name in ("a", "gone", "b", "c", "d")] == ["2", "", "1", "2", "1"]


def test_columns_may_appear_later_and_old_rows_are_kept(connect, lead, rows):
    connect().deliver([lead(1)])
    connect().deliver([lead(2, extra="new"), lead(3)])
    assert [row["extra"] for row in rows()] == ["", "new", ""]
    assert list(rows()[0])[:3] == ["key", "contact_key", "email"]


def test_the_default_mapping_gives_its_columns_from_the_start(connect, lead, rows):
    connect().deliver([lead(1, conversation=Record(values={"Q2": "blue"}))])
    assert list(rows()[0]) == ["key", "contact_key", *CsvConnector.mapping["conversation"]]


def test_columns_can_be_set_in_their_order(connect, lead, rows):
    connect(conversation_columns=["text", "later", "version"]).deliver([lead(1)])
    assert list(rows()[0]) == ["key", "contact_key", "text", "later", "version", "email"]


def test_a_field_named_like_our_own_column_is_refused_for_good(connect, lead, rows):
    bad, good = connect().deliver([lead(1, contact_key="mine"), lead(2)])
    assert isinstance(bad, PermanentFailure)
    assert "contact_key" in bad.message
    assert isinstance(good, Receipt)
    assert len(rows()) == 1


def test_an_unknown_object_is_refused_by_name(connect, lead):
    one = lead(1)
    one.records["invoice"] = Record()
    (outcome,) = connect().deliver([one])
    assert isinstance(outcome, PermanentFailure)
    assert "invoice" in outcome.message


def test_a_visitor_who_gave_the_address_later_is_erased_from_both_rows(connect, lead, rows):
    connector = connect()
    nameless = replace(lead(1), contact_key="visitor:ha-335-v1", email=None)
    (first,) = connector.deliver([nameless])
    (second,) = connector.deliver([replace(lead(1), receipt=first)])
    third, _ = connector.deliver([replace(lead(1, 1), receipt=second), lead(2)])
    assert len(rows("contacts")) == 3
    connector.erase([third])
    assert [row["contact_key"] for row in rows("contacts")] == ["v2@example.org"]


def test_erased_rows_are_nowhere(connect, lead, rows, tmp_path):
    connector = connect()
    first, _ = connector.deliver([lead(1, text="forget me not"), lead(2)])
    connector.erase([first])
    assert [row["key"] for row in rows()] == ["ha-335-000002"]
    assert [row["contact_key"] for row in rows("contacts")] == ["v2@example.org"]
    for path in tmp_path.iterdir():
        assert b"forget me not" not in path.read_bytes()


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_can_be_chosen(connect, lead, rows, delimiter):
    connect(delimiter=delimiter).deliver([lead(1, text="a,b;c\td|e\nf")])
    assert rows(delimiter=delimiter)[0]["text"] == "a,b;c\td|e\nf"


def test_the_encoding_can_be_chosen_and_lost_characters_are_noted(connect, lead, rows):
    first, second = connect(encoding="cp1252").deliver([lead(1, text="é€"), lead(2, text="名")])
    assert [row["text"] for row in rows(encoding="cp1252")] == ["é€", "\\u540d"]
    assert not first.notes
    assert "text" in second.notes[0]


def test_a_byte_order_mark_comes_once(connect, lead, rows, tmp_path):
    connector = connect(encoding="utf-8-sig")
    connector.deliver([lead(1)])
    connector.deliver([lead(2)])
    assert (tmp_path / "conversations.csv").read_bytes().count(b"\xef\xbb\xbf") == 1
    assert rows(encoding="utf-8-sig")[1]["key"] == "ha-335-000002"


def test_another_format_after_a_restart_rewrites_the_file(connect, lead, rows):
    connect().deliver([lead(1, text="a;b,名"), lead(2, text="é")])
    connector = connect(delimiter=";", encoding="cp1252")
    connector.deliver([lead(2, 5, text="é"), lead(3)])
    found = rows(delimiter=";", encoding="cp1252")
    assert [row["text"] for row in found] == ["a;b,\\u540d", "é", ""]
    assert [row["version"] for row in found] == ["0", "5", "0"]


def test_two_destinations_must_agree_on_the_format_of_a_file(connect, lead, rows):
    connect("one").deliver([lead(1)])
    with pytest.raises(TemporaryFailure, match="destination one"):
        connect("two", delimiter=";").deliver([lead(2)])
    connect("two").deliver([lead(2)])
    assert len(rows()) == 2


def test_two_destinations_share_contacts_and_keep_their_own_conversations(connect, lead, rows):
    connect("one", conversations="one.csv").deliver([lead(1)])
    connect("two", conversations="two.csv").deliver([lead(2, contact=1)])
    assert (len(rows("contacts")), len(rows("one")), len(rows("two"))) == (1, 1, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"contacts": "../contacts.csv"},
        {"contacts": ".hidden"},
        {"delimiter": "x"},
        {"encoding": "utf-16"},
        {"formulas": "run"},
        {"contacts": "same.csv", "conversations": "same.csv"},
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(settings):
    with pytest.raises(ValidationError) as caught:
        CsvConnector.Settings().load(settings)
    assert set(caught.value.messages) & set(settings)


def test_check_is_content_with_a_fresh_directory_and_writes_nothing(connect, tmp_path):
    assert {finding.level for finding in connect().check()} == {Level.OK}
    assert not list(tmp_path.iterdir())


def test_check_names_a_missing_directory(connect, tmp_path):
    (finding,) = connect(directory=tmp_path / "nowhere").check()
    assert finding.level is Level.ERROR
    assert "does not exist" in finding.message


def test_check_and_delivery_refuse_a_file_of_another_program(connect, lead, tmp_path):
    theirs = tmp_path / "contacts.csv"
    theirs.write_text("name,phone\nAda,1\n")
    assert Level.ERROR in {finding.level for finding in connect().check()}
    with pytest.raises(TemporaryFailure, match="not a file of this connector"):
        connect().deliver([lead(1)])
    assert theirs.read_text() == "name,phone\nAda,1\n"


def test_a_missing_directory_is_temporary_and_not_created(connect, lead, tmp_path):
    connector = connect(directory=tmp_path / "mount")
    with pytest.raises(TemporaryFailure, match="does not exist"):
        connector.deliver([lead(1)])
    (tmp_path / "mount").mkdir()
    connector.deliver([lead(1)])
    with (tmp_path / "mount" / "contacts.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 2


def test_nothing_is_logged_of_a_lead(connect, lead, caplog):
    caplog.set_level(logging.DEBUG)
    connect().deliver([lead(1)])
    assert "example.org" not in caplog.text


def test_its_own_mapping_carries_a_whole_lead(connect, rows):
    settings = {
        kind: {name: FieldSettings(expression=text) for name, text in fields.items()}
        for kind, fields in CsvConnector.mapping.items()
    }
    one, mapping = make_lead(1), compile_mapping(settings, destination="files")
    (receipt,) = connect().deliver([replace(one, records=mapping.records(one))])
    assert isinstance(receipt, Receipt)
    (contact,), (conversation,) = rows("contacts"), rows()
    assert contact["first_name"] == "Xanthippe"
    assert contact["phone"] == "+33 199001234"
    assert conversation["contact_key"] == contact["contact_key"] == contact["email"].lower()
    assert conversation["Q1"] == "kumquat marmalade"
    assert conversation["closed_at"] == "2026-11-02T09:36:00Z"
    assert conversation["answered"] == "true"
    assert conversation["transcript"] == one.transcript


def test_a_contact_without_a_key_gets_no_row(connect, lead, rows, tmp_path):
    (receipt,) = connect().deliver([replace(lead(1), contact_key="")])
    assert set(receipt.ids) == {"conversation"}
    assert len(rows()) == 1
    assert not (tmp_path / "contacts.csv").exists()


FALSY = {"nps": 0, "share": 0.0, "member": False, "blank": ""}
WRITTEN = {"nps": "0", "share": "0", "member": "false", "blank": ""}


@pytest.mark.parametrize("mode", ["values", "fill_if_empty", "create_only"])
def test_zero_and_false_are_values(connect, lead, rows, mode):
    connector = connect()
    connector.deliver([lead(1, conversation=Record(**{mode: FALSY}))])
    (row,) = rows()
    assert {name: row[name].removesuffix(".0").lower() for name in FALSY} == WRITTEN
    later = Record(fill_if_empty=dict.fromkeys(FALSY, 7))
    connector.deliver([lead(1, conversation=later)])
    (row,) = rows()
    assert {name: row[name].removesuffix(".0").lower() for name in FALSY} == WRITTEN | {"blank": "7"}


def test_a_value_that_becomes_zero_replaces_the_other(connect, lead, rows):
    connector = connect()
    connector.deliver([lead(1, conversation=Record(values=dict.fromkeys(FALSY, 7)))])
    connector.deliver([lead(1, conversation=Record(values=FALSY))])
    (row,) = rows()
    assert {name: row[name].removesuffix(".0").lower() for name in FALSY} == WRITTEN
