from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chatferry.accept.acceptance import Acceptance
from chatferry.errors import WebhookRefused
from chatferry.iadvize.signature import sign
from chatferry.settings.model import (
    ClientSettings,
    DestinationSettings,
    IAdvizeSettings,
    LiveSettings,
    Settings,
    WebSettings,
)
from chatferry.settings.secrets import Secret

NOW = 1_700_000_000.0
OLD, NEW = Secret("the old one"), Secret("the new one")
CONVERSATION = "4c8c7408-f73c-42cd-89e9-afbbee7d9024"
SETTINGS = Settings(
    directory=Path(),
    iadvize=IAdvizeSettings(
        secrets=(NEW, OLD),
        clients=(ClientSettings(platform="ha", client_id=335, username=Secret("u"), password=Secret("p")),),
    ),
    live=LiveSettings(interval=30, idle_interval=3600),
    destinations={"files": DestinationSettings(name="files", connector="csv", projects=(1549,))},
)


def accept(ledger, settings=SETTINGS, secret=NEW, **changes):
    body = {
        "eventId": "e1",
        "eventType": "v2.conversation.closed",
        "platform": "ha",
        "clientId": 335,
        "projectId": 1549,
        "conversationId": CONVERSATION,
    }
    raw = json.dumps({**body, **changes}).encode()
    acceptance = Acceptance(settings, ledger.events, lambda: NOW)
    return acceptance.accept(raw, signature=sign(secret, raw), content_type="application/json")


def due(ledger, at=NOW):
    return [one.conversation_id for one in ledger.conversations.lease(ledger.owner, at, at + 60, 10)]


def kept(ledger):
    return [reason for reason, _ in ledger.status(NOW).kept]


@pytest.mark.parametrize("secret", [OLD, NEW], ids=["old", "new"])
def test_while_a_secret_is_rotated_both_are_good(ledger, secret):
    accept(ledger, secret=secret)
    assert due(ledger) == [CONVERSATION]


def test_what_is_not_signed_with_a_secret_of_ours_leaves_no_trace(ledger):
    with pytest.raises(WebhookRefused) as refused:
        accept(ledger, secret=Secret("somebody else's"))
    assert refused.value.status == 401
    assert ledger.status(NOW).events == 0


def test_an_update_of_a_visitor_is_not_refused_though_it_names_no_conversation(ledger):
    accept(ledger, eventType="visitor.updated", conversationId=None, projectId=None, visitorId="v1")
    assert kept(ledger) == []
    assert ledger.status(NOW).events == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"clientId": 9}, "client ha/9 is not configured"),
        ({"platform": "SD"}, "client sd/335 is not configured"),
        ({"projectId": 8}, "no destination is interested in project ha/8"),
        ({"eventType": "user.created", "conversationId": None}, "nothing follows from user.created events"),
        ({"eventType": "of.tomorrow", "conversationId": None}, "nothing follows from of.tomorrow events"),
        (
            {"eventType": "of.tomorrow", "conversationId": None, "visitorId": "v1"},
            "nothing follows from of.tomorrow events",
        ),
        (
            {"eventType": "visitor.updated", "conversationId": None},
            "nothing follows from visitor.updated events",
        ),
        ({"conversationId": 1, "eventType": "conversation.closed"}, "deprecated conversation.closed events"),
    ],
)
def test_what_nothing_follows_from_is_kept_with_the_reason(ledger, changes, reason):
    accept(ledger, **changes)
    assert kept(ledger)[0].startswith(reason)
    assert due(ledger) == []


def test_a_conversation_that_began_is_due_when_there_is_something_to_read(ledger):
    accept(ledger, eventType="v2.conversation.pushed")
    assert due(ledger) == []
    assert due(ledger, NOW + 3600) == [CONVERSATION]


def test_where_running_conversations_are_wanted_it_is_due_sooner(ledger):
    live = replace(SETTINGS.destinations["files"], live=True)
    accept(ledger, replace(SETTINGS, destinations={"files": live}), eventType="v2.conversation.pushed")
    assert due(ledger, NOW + 30) == [CONVERSATION]


def test_a_close_that_arrives_before_the_beginning_is_due_at_once(ledger):
    accept(ledger)
    accept(ledger, eventId="e0", eventType="v2.conversation.pushed")
    assert due(ledger) == [CONVERSATION]


@pytest.mark.parametrize(
    ("web", "status"), [(WebSettings(body_limit=50), 413), (WebSettings(json_depth=1), 400)]
)
def test_the_limits_of_a_body_are_those_of_the_configuration(ledger, web, status):
    with pytest.raises(WebhookRefused) as refused:
        accept(ledger, replace(SETTINGS, web=web), more=[[]])
    assert refused.value.status == status
