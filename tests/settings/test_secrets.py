from __future__ import annotations

from pathlib import Path

import pytest
from marshmallow import Schema, ValidationError

from chatferry import Secret, SecretField
from chatferry.settings.secrets import resolve, secrets_from


class Account(Schema):
    token = SecretField(required=True)


def test_a_secret_shows_its_reference_and_never_itself():
    secret = resolve("env:TOKEN", {"TOKEN": "kX9"})
    assert secret.reveal() == "kX9"
    assert repr(secret) == str(secret) == f"{secret}" == "Secret('env:TOKEN')"


def test_secrets_are_equal_by_what_they_hold():
    assert len({Secret("a", "env:A"), Secret("a", "env:B"), Secret("b")}) == 2
    assert Secret("a") != "a"


def test_white_space_around_a_files_secret_is_no_part_of_it(tmp_path):
    (tmp_path / "token").write_text(" kX9\n")
    assert resolve(f"file:{tmp_path}/token").reveal() == "kX9"
    assert resolve("file:token", directory=tmp_path).reveal() == "kX9"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_refused(tmp_path, content):
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ValueError, match=r"the file .*token (is empty|cannot be read)"):
        resolve(f"file:{tmp_path}/token")


@pytest.mark.parametrize("reference", ["kX9", "env:", "file:", "ENV:TOKEN", ":kX9", ""])
def test_what_is_no_reference_is_refused_unseen(reference):
    with pytest.raises(ValueError, match="a secret is written as a reference") as caught:
        resolve(reference, {})
    assert "kX9" not in str(caught.value)


def test_a_plugins_schema_follows_references_from_where_the_configuration_is(tmp_path):
    (tmp_path / "token").write_text("kX9")
    with secrets_from({"TOKEN": "other"}, tmp_path):
        assert Account().load({"token": "file:token"}) == {"token": Secret("kX9")}
        assert Account().load({"token": "env:TOKEN"}) == {"token": Secret("other")}


def test_a_secret_that_was_followed_before_is_taken_as_it_is():
    assert Account().load({"token": Secret("kX9")}) == {"token": Secret("kX9")}


def test_outside_of_a_configuration_the_environment_of_the_process_counts(monkeypatch):
    monkeypatch.setenv("CHATFERRY_TEST_TOKEN", "kX9")
    assert Account().load({"token": "env:CHATFERRY_TEST_TOKEN"}) == {"token": Secret("kX9")}
    monkeypatch.delenv("CHATFERRY_TEST_TOKEN")
    with pytest.raises(ValidationError, match="CHATFERRY_TEST_TOKEN is not set"):
        Account().load({"token": "env:CHATFERRY_TEST_TOKEN"})


@pytest.mark.parametrize("scheme", ["env", "file"])
def test_a_secret_is_stripped_wherever_it_comes_from(scheme, tmp_path):
    (tmp_path / "TOKEN").write_text(" s3cret\n")
    assert resolve(f"{scheme}:TOKEN", {"TOKEN": " s3cret\n"}, tmp_path).reveal() == "s3cret"
    (tmp_path / "TOKEN").write_text(" \n")
    with pytest.raises(ValueError, match="empty"):
        resolve(f"{scheme}:TOKEN", {"TOKEN": " \n"}, tmp_path)


@pytest.mark.parametrize("value", ["two\nlines", "kX9 7y", "na\u00efve", "\x7f"])
def test_a_secret_that_no_header_can_carry_is_named_without_it(value):
    schema = Schema.from_dict({"token": SecretField(in_header=True)})()
    with (
        secrets_from({"TOKEN": value}, Path()),
        pytest.raises(ValidationError, match="cannot be sent in a header") as said,
    ):
        schema.load({"token": "env:TOKEN"})
    assert value not in str(said.value)
