"""What ``chatferry demo`` delivers to, and what it reads back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatferry import Level, Secret
from chatferry.testing import make_context
from chatferry_hubspot.connector import HubSpot


@pytest.fixture
def stage(tmp_path):
    with HubSpot.stage(tmp_path) as open_stage:
        yield open_stage


@pytest.fixture
def connector(stage, tmp_path):
    fields = {kind: tuple(mapped) for kind, mapped in stage.mapping.items()}
    settings = {**stage.settings, "access_token": Secret(stage.environ["HUBSPOT_TOKEN"])}
    made = HubSpot(HubSpot.Settings().load(settings), make_context(tmp_path, fields=fields))
    yield made
    made.close()


def test_the_account_has_all_that_is_mapped(connector):
    assert [finding for finding in connector.check() if finding.level is Level.ERROR] == []


def test_what_was_delivered_is_held(connector, stage, lead, receipts):
    leads = [lead(1), lead(2, email=None)]
    receipts(connector, *leads)
    held = {one.key: one for one in stage.held()}
    assert set(held) == {one.key for one in leads}
    first = held[leads[0].key]
    assert first.records["contact"]["email"] == leads[0].email
    assert first.records["conversation"]["subject"] == "Chat 1"
    assert first.contact != held[leads[1].key].contact


def test_what_the_account_held_stays_in_a_file(tmp_path):
    with HubSpot.stage(tmp_path) as stage:
        (place,) = stage.places
    assert "contacts" in json.loads(Path(place).read_text(encoding="utf-8"))["records"]
