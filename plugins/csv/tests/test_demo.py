"""What ``chatferry demo`` reads back of the files."""

from __future__ import annotations

import pytest

from chatferry.model import Record
from chatferry.testing import make_context, make_lead
from chatferry_csv import CsvConnector


@pytest.fixture
def connector(tmp_path):
    made = CsvConnector(CsvConnector.Settings().load({}), make_context(tmp_path))
    yield made
    made.close()


def test_what_was_delivered_is_held(connector, tmp_path):
    records = {
        "contact": Record(values={"email": "ada@example.com"}),
        "conversation": Record(values={"Q1": "=1+1"}),
    }
    lead = make_lead(records=records)
    connector.deliver([lead])
    with CsvConnector.stage(tmp_path) as stage:
        (held,) = stage.held()
        assert (held.key, held.contact) == (lead.key, lead.contact_key)
        assert held.records["contact"]["email"] == "ada@example.com"
        assert held.records["conversation"]["Q1"] == "=1+1"  # as it was said, not as it was defused
        assert [place.rsplit("/", 1)[-1] for place in stage.places] == ["contacts.csv", "conversations.csv"]


def test_nothing_is_held_before_anything_was_delivered(tmp_path):
    with CsvConnector.stage(tmp_path) as stage:
        assert list(stage.held()) == []
