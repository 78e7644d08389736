from __future__ import annotations

import hashlib
import hmac
import json
import socket
from pathlib import Path

import pytest

from chatferry.emulators.iadvize import IAdvizeWorld, WebhookSettings, signature

SAMPLES = Path(__file__).parents[1] / "iadvize" / "samples"
VECTORS = json.loads((SAMPLES / "signature.test-vectors.computed.json").read_text())["vectors"]
CLOSED_ONLY = {"pushed": False, "late": False}


def sample(name):
    return json.loads((SAMPLES / f"webhook.{name}.json").read_text())


def of_type(receiver, event_type):
    return [event for event in receiver.events if event["eventType"] == event_type]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_signature_is_the_documented_one(vector):
    assert signature(vector["secretToken"], vector["signedBytesUtf8"].encode()) == vector["value"]


def test_a_closed_conversation_is_announced_with_the_documented_payload(playing, receiver):
    world = playing().world
    (conversation_id,) = world.play(1, **CLOSED_ONLY)
    assert world.settle()
    (event,) = receiver.events
    assert list(event) == list(sample("v2.conversation.closed"))
    truth = world.truth(conversation_id)
    assert event["eventType"] == "v2.conversation.closed"
    assert (event["platform"], event["clientId"], event["projectId"]) == ("ha", 335, truth.project_id)
    assert (event["conversationId"], event["visitorId"]) == (conversation_id, truth.visitor_id)
    assert event["operatorIds"] == list(truth.operator_ids)


def test_the_raw_body_is_signed_and_each_attempt_has_its_own_delivery_id(playing, receiver):
    receiver.statuses = [500]
    world = playing().world
    world.play(1, **CLOSED_ONLY)
    assert world.settle()
    for headers, raw in receiver.received:
        digest = hmac.new(b"hush", raw, hashlib.sha256).hexdigest()
        assert headers["x-iadvize-signature"] == f"sha256={digest}"
        assert headers["content-type"] == "application/json"
    (first, _), (second, _) = receiver.received
    assert first["x-iadvize-delivery"] != second["x-iadvize-delivery"]
    assert first["x-iadvize-correlationid"] == second["x-iadvize-correlationid"]


def test_every_contact_is_pushed(playing, receiver):
    world = playing().world
    world.play(11)
    assert world.settle()
    conversation_id = world.ids[10]
    pushed = of_type(receiver, "v2.conversation.pushed")
    assert list(pushed[0]) == list(sample("v2.conversation.pushed"))
    operators = [event["operatorId"] for event in pushed if event["conversationId"] == conversation_id]
    assert len(operators) == 4
    assert set(operators) == set(world.truth(conversation_id).operator_ids)


def test_surveys_and_purchases_follow_one_event_a_click(playing, receiver):
    world = playing().world
    world.play(20, late_after=0.01)
    assert world.settle()
    surveyed = of_type(receiver, "satisfaction.answered")
    kinds = {key for event in surveyed for key in event} & {
        "customerSatisfaction",
        "netPromoterScore",
        "satisfactionComment",
        "customQuestion",
    }
    assert len(kinds) == 4
    for event in surveyed:
        assert len(event) == len(sample("satisfaction.answered.csat"))
    (bought, *_) = of_type(receiver, "transaction.attributed")
    assert set(bought) == set(sample("transaction.attributed"))
    transaction = world.truth(bought["conversationId"]).transactions[0]
    assert (bought["transactionId"], bought["amount"]) == (transaction["id"], transaction["amount"])


def test_an_offsite_conversation_has_no_external_visitor_id(playing, receiver):
    world = playing().world
    world.play(14, **CLOSED_ONLY)
    assert world.settle()
    for event in receiver.events:
        onsite = event["channel"] in {"CHAT", "CALL", "VIDEO"}
        assert (event["visitorExternalId"] is not None) == onsite
    assert not all(event["visitorExternalId"] for event in receiver.events)


@pytest.mark.parametrize(
    "event_type",
    ["user.created", "user.updated", "user.connected", "user.disconnected", "user.availability.updated"],
)
def test_user_events_are_as_documented(playing, receiver, event_type):
    served = playing()
    assert served.session.post(f"{served.url}/_emulator/users/{event_type}").ok
    assert served.world.settle()
    assert set(receiver.events[0]) == set(sample(event_type))


def test_a_visitor_update_carries_the_vuid(playing, receiver):
    served = playing()
    path = f"/_emulator/conversations/{served.world.ids[0]}/update-visitor"
    assert served.session.post(served.url + path).ok
    assert served.world.settle()
    (event,) = receiver.events
    assert set(event) == set(sample("visitor.updated"))
    assert len(event["visitorId"]) == 45


def test_two_retries_and_then_the_event_is_lost(playing, receiver):
    receiver.statuses = [503, 404, 302]
    world = playing().world
    world.play(1, **CLOSED_ONLY)
    assert world.settle()
    (delivery,) = world.sender.deliveries
    assert delivery.state == "lost"
    assert [attempt.status for attempt in delivery.attempts] == [503, 404, 302]
    first, second, third = (attempt.at for attempt in delivery.attempts)
    # Ten seconds, then twenty more, a hundred times as fast; never sooner.
    assert second - first >= 0.1
    assert third - second >= 0.2
    assert world.acknowledged() == []
    assert len({raw for _, raw in receiver.received}) == 1


@pytest.mark.parametrize("failures", [1, 2])
def test_a_retry_that_is_answered_ends_it(playing, receiver, failures):
    receiver.statuses = [500] * failures
    world = playing().world
    ids = world.play(1, **CLOSED_ONLY)
    assert world.settle()
    assert len(receiver.received) == failures + 1
    assert world.acknowledged() == ids


def test_a_receiver_that_is_down_loses_the_event():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = f"http://127.0.0.1:{unused.getsockname()[1]}/hook"
        with IAdvizeWorld(webhooks=WebhookSettings(target=target, time_scale=1000)) as world:
            world.play(1, **CLOSED_ONLY)
            assert world.settle()
            (delivery,) = world.sender.deliveries
    assert delivery.state == "lost"
    assert [attempt.error for attempt in delivery.attempts] == ["NewConnectionError"] * 3


def test_without_a_target_nothing_is_sent(serve):
    world = serve().world
    world.play(2)
    assert {delivery.state for delivery in world.sender.deliveries} == {"dropped"}


def test_a_live_conversation_grows_until_it_closes(playing, receiver):
    served = playing().bear()
    world = served.world
    (conversation_id,) = world.play(1, live=True, pace=300.0, late=False)
    query = """query ($id: UUID!) { conversation(id: $id) { closedAt messages { edges { cursor } } } }"""
    early = served.ask(query, {"id": conversation_id})["conversation"]
    assert world.settle()
    late = served.ask(query, {"id": conversation_id})["conversation"]
    assert early["closedAt"] is None
    assert late["closedAt"]
    truth = world.truth(conversation_id)
    assert len(early["messages"]["edges"]) < len(late["messages"]["edges"])
    assert len(late["messages"]["edges"]) == truth.messages + truth.system_messages
    assert receiver.events[-1]["eventType"] == "v2.conversation.closed"


def test_what_was_played_is_found_by_its_new_closing_time(playing):
    served = playing(conversations=3).bear()
    ids = served.world.play(4, **CLOSED_ONLY)
    found = served.ask(
        """{ closedConversations(interval: {from: "2026-02-01T00:00:00Z", to: "2099-01-01T00:00:00Z"}) {
          edges { node { id } } } }"""
    )
    assert [edge["node"]["id"] for edge in found["closedConversations"]["edges"]] == ids
