"""What an administrator may write, and what is refused with a reason."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from chatferry import Secret
from chatferry_hubspot.settings import HubSpotSettings, Options, Storage, read_options

TOKEN = {"access_token": Secret("x")}
OAUTH = {"client_id": "a", "client_secret": Secret("b"), "refresh_token": Secret("c")}


def test_a_token_is_enough():
    assert read_options(HubSpotSettings().load(TOKEN)) == Options(access_token=Secret("x"))


def test_everything_can_be_said():
    given = {**OAUTH, "storage": "notes", "base_url": "http://127.0.0.1:8000", "types": {"budget": "number"}}
    options = read_options(HubSpotSettings().load({**given, "time_zone": "Europe/Paris", "timeout": 5}))
    assert options.storage is Storage.NOTES
    assert options.types == {"budget": "number"}


@pytest.mark.parametrize(
    ("settings", "field", "word"),
    [
        ({}, "access_token", "service key"),
        ({**TOKEN, **OAUTH}, "client_id", "not both"),
        ({"client_id": "a"}, "access_token", "refresh_token"),
        ({**TOKEN, "base_url": "http://api.example.com"}, "base_url", "allow_http"),
        ({**TOKEN, "base_url": "https://user:pw@api.example.com"}, "base_url", "address"),
        ({**TOKEN, "base_url": "https://[api.example.com"}, "base_url", "address"),
        ({**TOKEN, "base_url": "ftp://api.example.com"}, "base_url", "https"),
        ({**TOKEN, "version": "v3"}, "version", "2026-09"),
        ({**TOKEN, "time_zone": "Mars/Olympus"}, "time_zone", "Europe/Paris"),
        ({**TOKEN, "types": {"budget": "money"}}, "types", "number"),
        ({**TOKEN, "visitor_property": "Visitor ID"}, "visitor_property", "internal name"),
        ({**TOKEN, "object": "../secrets"}, "object", "type id"),
        ({**TOKEN, "storage": "tickets"}, "storage", "notes"),
    ],
)
def test_what_cannot_work_is_refused_by_name(settings, field, word):
    with pytest.raises(ValidationError) as caught:
        HubSpotSettings().load(settings)
    assert word in str(caught.value.messages[field])


def test_http_to_elsewhere_is_possible_when_it_is_said():
    given = {**TOKEN, "base_url": "http://emulator.test", "allow_http": True}
    assert read_options(HubSpotSettings().load(given)).base_url == "http://emulator.test"
