"""Leads by number and version, connectors for a directory, and files read back with the csv module."""

from __future__ import annotations

import csv

import pytest

from chatferry import Conversation, Lead, Record
from chatferry.testing import make_context
from chatferry_csv import CsvConnector


@pytest.fixture
def lead():
    """Make a lead; its two records hold its number and version, and a text if one is given."""

    def make(number, version=0, *, contact=None, text="", conversation=None, **fields):
        key = f"ha-335-{number:06d}"
        email = f"v{number if contact is None else contact}@example.org"
        values = {"email": email, "version": version, "text": text, **fields}
        return Lead(
            key=key,
            contact_key=email,
            email=email,
            conversation=Conversation(id=key, platform="ha", client_id=335),
            records={
                "contact": Record(values={"email": email, "version": version}),
                "conversation": conversation or Record(values=values),
            },
        )

    return make


@pytest.fixture
def connect(tmp_path):
    """Open connectors for one directory, as restarts and other destinations do; close them at the end."""
    opened = []

    def open_one(destination="test", directory=tmp_path, **settings):
        settings = CsvConnector.Settings().load(settings)
        opened.append(CsvConnector(settings, make_context(directory, destination=destination)))
        return opened[-1]

    yield open_one
    for connector in opened:
        connector.close()


@pytest.fixture
def rows(tmp_path):
    """Read a file as any consumer would, strictly; every row must be as wide as the header."""
    csv.field_size_limit(10**9)

    def read(name="conversations", *, encoding="utf-8", delimiter=","):
        with (tmp_path / f"{name}.csv").open(newline="", encoding=encoding) as file:
            header, *rest = csv.reader(file, delimiter=delimiter, strict=True)
        assert {len(row) for row in rest} <= {len(header)}
        return [dict(zip(header, row, strict=True)) for row in rest]

    return read
