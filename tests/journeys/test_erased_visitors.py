"""Visitors who are erased in iAdvize after their conversations were delivered to a HubSpot account."""

from __future__ import annotations

import pytest
import requests
from private_values import HUBSPOT_TOKEN

from chatferry.emulators import Server

EMULATOR = pytest.importorskip("chatferry_hubspot.emulator", reason="the journey ends in HubSpot").EMULATOR

DESTINATION = """
[destinations.hubspot]
connector = "hubspot"
linger = 0
[destinations.hubspot.settings]
access_token = "file:token"
base_url = "{url}"
[destinations.hubspot.conversation]
rating = "conversation.satisfaction.nps"
transcript = "transcript"
"""


@pytest.fixture
def hubspot():
    with Server(EMULATOR.create(faults=EMULATOR.board())) as server:
        yield server


def held(server):
    """Return the records that are not archived, and what is associated with what."""
    state = requests.get(
        f"{server.url}/_emulator/state", headers={"Authorization": f"Bearer {HUBSPOT_TOKEN}"}, timeout=10
    ).json()
    records = {
        kind: {one["id"]: one["properties"] for one in some if not one["archived"]}
        for kind, some in state["records"].items()
    }
    return records, {(one["from"]["id"], one["to"]["id"]) for one in state["associations"]}


@pytest.mark.parametrize("history", [40], indirect=True)
def test_late_ratings_of_erased_visitors_make_no_new_people(open_shop, history, hubspot, tmp_path):
    shop = open_shop(DESTINATION.format(url=hubspot.url))
    (tmp_path / "token").write_text(HUBSPOT_TOKEN)
    made = shop.run("hubspot", "provision", "hubspot", "--yes")
    assert made.exit_code == 0, made.output
    shop.find_history()
    shop.work()
    before, associated = held(hubspot)
    assert len(before["chat_conversation"]) == len(history.ids) == 40

    for number, one in enumerate(history.ids):
        (history.erase_visitor, history.anonymise)[number % 2](one)
        history.erase_visitor(one)
        shop.hear(one, "satisfaction.answered", netPromoterScore=number % 11)
    shop.work()

    after, still_associated = held(hubspot)
    assert after["contacts"].keys() == before["contacts"].keys()
    assert still_associated == associated
    for name, properties in before["chat_conversation"].items():
        now = after["chat_conversation"][name]
        assert now.get("transcript") == properties.get("transcript")
        assert now["rating"] in {str(score) for score in range(11)}
