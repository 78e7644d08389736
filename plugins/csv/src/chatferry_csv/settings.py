"""What a destination of the CSV connector may set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "cp1250", "iso8859-1", "latin-1", "iso8859-15", "ascii")
DELIMITERS = (",", ";", "\t", "|")


def _file_name(name: str) -> None:
    """Refuse what is not a plain, visible file name: the index lies beside the files."""
    if not name or name.startswith(".") or any(sign in name for sign in "/\\\0") or not name.isprintable():
        raise ValidationError("Must be a file name without a directory and without a dot in front.")


class CsvSettings(Schema):
    """The ``settings`` table of a destination."""

    directory = fields.String(
        load_default=".",
        metadata={"description": "where the files are; relative paths start at the configuration file"},
    )
    contacts = fields.String(load_default="contacts.csv", validate=_file_name)
    conversations = fields.String(load_default="conversations.csv", validate=_file_name)
    delimiter = fields.String(load_default=",", validate=validate.OneOf(DELIMITERS))
    encoding = fields.String(load_default="utf-8", validate=validate.OneOf(ENCODINGS))
    formulas = fields.String(load_default="defuse", validate=validate.OneOf(("defuse", "keep")))
    line_breaks = fields.String(load_default="keep", validate=validate.OneOf(("keep", "flatten")))
    mode = fields.String(
        load_default="0600",
        validate=validate.Regexp(r"^0?[0-7]{3}$", error='Permissions such as "0600" or "0640".'),
        metadata={"description": "the permissions of new files: 0640 lets a group read them"},
    )
    contact_columns = fields.List(
        fields.String(),
        load_default=list,
        metadata={"description": "columns of the contacts file from the start, in this order"},
    )
    conversation_columns = fields.List(
        fields.String(),
        load_default=list,
        metadata={"description": "columns of the conversations file from the start, in this order"},
    )

    @validates_schema
    def _two_files(self, data: Mapping[str, Any], **_: object) -> None:
        """Refuse one name for two files."""
        if data["contacts"] == data["conversations"]:
            raise ValidationError("Must be another file than contacts.", "conversations")
