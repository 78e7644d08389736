from __future__ import annotations

import threading
import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest
import structlog
from flask import Flask
from structlog.testing import capture_logs

from chatferry.connector import Level
from chatferry.emulators import Server
from chatferry.emulators.iadvize import create_app
from chatferry.errors import (
    ConversationNotReady,
    PlatformAuthFailure,
    PlatformUnavailable,
    SettingsError,
)
from chatferry.http.token_store import MemoryTokens
from chatferry.iadvize.client import IAdvize
from chatferry.model import AuthorKind, Conversation
from chatferry.settings.model import ClientSettings
from chatferry.settings.secrets import Secret


def settings_for(url):
    return ClientSettings(
        platform="ha", client_id=335, username=Secret("user"), password=Secret("word"), api_url=url
    )


def kinds(outcomes):
    return Counter(type(outcome).__name__ for outcome in outcomes.values())


def test_many_conversations_are_read_together_and_right(emulated):
    ids = emulated.world.ids[:50]
    client = emulated.client()
    client.check()
    before = emulated.requests()
    found = client.fetch(ids)
    assert list(found) == ids
    longest = 0
    for identity, conversation in found.items():
        truth = emulated.world.truth(identity)
        assert isinstance(conversation, Conversation)
        assert conversation.key == f"ha-335-{identity}"
        assert (conversation.project_id, conversation.channel) == (truth.project_id, truth.channel)
        assert len(conversation.messages) == truth.messages + truth.system_messages
        assert truth.anonymised or set(conversation.operator_ids) == set(truth.operator_ids)
        assert conversation.tags == truth.tags
        assert conversation.closed_at == truth.closed_at
        longest = max(longest, len(conversation.messages))
    pages = -(-longest // 100)
    assert longest > 100
    assert emulated.requests() - before == pages


def test_short_conversations_do_not_wait_for_the_pages_of_long_ones(emulated):
    ids = emulated.world.ids[:50]
    long = {one for one in ids if len(emulated.client().fetch([one])[one].messages) > 100}
    first, *others = emulated.client().read(ids)
    assert set(first) == set(ids) - long
    assert {one for some in others for one in some} == long


def test_a_conversation_shows_who_said_what(emulated):
    found = emulated.client().fetch(emulated.world.ids[:20]).values()
    authors = {message.author.kind for conversation in found for message in conversation.messages}
    assert authors == set(AuthorKind)
    assert any("[](Q" in text for c in found for m in c.messages for text in m.texts)


def test_an_unknown_conversation_is_not_ready_and_harms_no_other(emulated):
    unknown, known = str(uuid.uuid4()), emulated.world.ids[0]
    found = emulated.client().fetch([unknown, known])
    assert isinstance(found[unknown], ConversationNotReady)
    assert isinstance(found[known], Conversation)


def test_the_integer_id_of_a_deprecated_event_is_refused_alone(emulated):
    known = emulated.world.ids[0]
    assert kinds(emulated.client().fetch(["1", known, known])) == {"PlatformRefused": 1, "Conversation": 1}


def test_nothing_asked_for_is_nothing_found(emulated):
    assert emulated.client().fetch([]) == {}


def test_a_document_too_large_is_split_and_the_size_remembered(emulated):
    emulated.world.faults.switch_on("document-too-large=10")
    client, ids = emulated.client(batch_size=50), emulated.world.ids[:50]
    client.check()
    assert kinds(client.fetch(ids)) == {"Conversation": 50}
    size = client.batch_size
    assert 5 <= size <= 10
    emulated.world.faults.switch_off()
    client.fetch(emulated.world.ids[:80])
    assert client.batch_size > size


def test_one_at_a_time_at_worst(emulated):
    emulated.world.faults.switch_on("document-too-large=1")
    client = emulated.client()
    assert kinds(client.fetch(emulated.world.ids[:12])) == {"Conversation": 12}
    assert client.batch_size == 1


def test_an_error_of_one_conversation_is_its_own(emulated):
    client, ids = emulated.client(), emulated.world.ids[:20]
    client.check()
    emulated.world.faults.switch_on("graphql-errors:x1")
    assert kinds(client.fetch(ids)) == {"PlatformError": 1, "Conversation": 19}


def test_documents_that_fail_as_a_whole_are_tried_smaller(emulated):
    client, ids = emulated.client(), emulated.world.ids[:20]
    client.check()
    emulated.world.faults.switch_on("graphql-refused:x2")
    assert kinds(client.fetch(ids)) == {"Conversation": 20}


def test_a_platform_that_refuses_everything_refuses_each(emulated):
    client, ids = emulated.client(), emulated.world.ids[:3]
    client.check()
    emulated.world.faults.switch_on("graphql-refused")
    assert kinds(client.fetch(ids)) == {"PlatformRefused": 3}


@pytest.mark.parametrize(
    "fault",
    ["server-error=503", "server-error-html", "reset", "truncated", "html", "garbage", "server-error"],
)
def test_a_platform_that_is_away_is_unavailable_for_each(emulated, fault):
    client, ids = emulated.client(), emulated.world.ids[:5]
    client.check()
    emulated.world.faults.switch_on(fault)
    assert all(isinstance(outcome, PlatformUnavailable) for outcome in client.fetch(ids).values())
    emulated.world.faults.switch_off()
    assert kinds(client.fetch(ids)) == {"Conversation": 5}


def test_too_many_requests_are_honoured_by_every_call(emulated):
    client, ids = emulated.client(), emulated.world.ids[:2]
    client.check()
    emulated.world.faults.switch_on("rate-limited=7:x1")
    outcome = client.fetch(ids)[ids[0]]
    assert isinstance(outcome, PlatformUnavailable)
    assert outcome.retry_after == 7.0
    before = emulated.requests()
    assert 6 < client.fetch(ids)[ids[1]].retry_after <= 7
    assert emulated.requests() == before


def test_a_conversation_that_takes_too_long_makes_the_others_wait_once(emulated):
    client, ids = emulated.client(timeout=0.6), emulated.world.ids[:4]
    client.check()
    emulated.world.faults.switch_on("slow=1:x1")
    assert kinds(client.fetch(ids)) == {"Conversation": 4}


def test_a_platform_that_hangs_is_given_up(emulated):
    client, ids = emulated.client(timeout=0.2), emulated.world.ids[:8]
    client.check()
    emulated.world.faults.switch_on("slow=0.5")
    outcomes = client.fetch(ids)
    assert all(isinstance(outcome, PlatformUnavailable) for outcome in outcomes.values())
    emulated.world.faults.switch_off()


def test_a_revoked_key_costs_one_login(emulated):
    client, ids = emulated.client(), emulated.world.ids[:2]
    client.check()
    logins = emulated.world.tokens.given
    emulated.world.tokens.revoke()
    assert kinds(client.fetch(ids)) == {"Conversation": 2}
    assert emulated.world.tokens.given == logins + 1


def test_a_new_key_that_is_refused_as_well_is_an_error_that_says_so(emulated):
    client, ids = emulated.client(), emulated.world.ids[:2]
    client.check()
    emulated.world.faults.switch_on("unauthorized")
    outcome = client.fetch(ids)[ids[0]]
    assert isinstance(outcome, PlatformAuthFailure)
    assert "check the rights" in str(outcome)


def test_threads_read_at_the_same_time_with_one_login(emulated):
    client, ids = emulated.client(), emulated.world.ids
    logins, found = emulated.world.tokens.given, {}
    threads = [
        threading.Thread(target=lambda part=part: found.update(client.fetch(ids[part::4])))
        for part in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kinds(found) == {"Conversation": len(ids)}
    assert emulated.world.tokens.given == logins + 1


def test_messages_come_sorted_whatever_the_platform_does(emulated):
    identity = emulated.world.ids[0]
    client = emulated.client()
    right = [message.id for message in client.fetch([identity])[identity].messages]
    emulated.world.faults.switch_on("newest-first")
    assert sorted(right) == sorted(m.id for m in client.fetch([identity])[identity].messages)
    times = [message.at for message in client.fetch([identity])[identity].messages]
    assert times == sorted(times)


def test_erased_visitors_and_missing_messages_are_no_errors(emulated):
    client, ids = emulated.client(), emulated.world.ids[:3]
    client.check()
    emulated.world.faults.switch_on("erased")
    emulated.world.faults.switch_on("no-messages")
    for conversation in client.fetch(ids).values():
        assert conversation.visitor.email is None
        assert conversation.messages == ()


def test_fields_the_schema_lacks_are_done_without(emulated):
    without = [
        "Conversation.closingFormValues",
        "Visitor.phoneNumber",
        "Conversation.tags",
        "Conversation.language",
    ]
    with Server(create_app(emulated.world, without=without)) as server:
        client = emulated.client(api_url=server.url)
        found = client.fetch(emulated.world.ids[:3])
        findings = client.check()
    assert kinds(found) == {"Conversation": 3}
    assert [finding.level for finding in findings] == [Level.OK, Level.WARNING]
    assert "Conversation.closingFormValues" in findings[1].message
    assert "Visitor.phoneNumber" in findings[1].message


def test_a_schema_without_messages_is_reported_as_an_error(emulated):
    with Server(create_app(emulated.world, without=["Conversation.messages"])) as server:
        findings = emulated.client(api_url=server.url).check()
    assert "Conversation.messages" in next(f.message for f in findings if f.level is Level.ERROR)


def test_the_schema_is_asked_for_again_after_a_day(emulated):
    now = [datetime(2026, 3, 1, tzinfo=UTC).timestamp()]
    client, ids = emulated.client(clock=lambda: now[0]), emulated.world.ids[:1]
    client.fetch(ids)
    before = emulated.requests()
    client.fetch(ids)
    assert emulated.requests() - before == 1
    now[0] += 86_401
    client.fetch(ids)
    assert emulated.requests() - before == 3


def test_the_other_platform_is_asked_at_its_own_address(emulated):
    client = emulated.client(platform="sd")
    found = client.fetch(emulated.world.ids[:1])
    assert kinds(found) == {"ConversationNotReady": 1}


def test_closed_conversations_are_paged_through(emulated):
    client = emulated.client()
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    page = client.closed(since, until)
    found = list(page.conversations)
    while page.after:
        page = client.closed(since, until, after=page.after)
        found += page.conversations
    assert [each.id for each in found] == emulated.world.ids
    truth = emulated.world.truth(found[0].id)
    assert (found[0].project_id, found[0].closed_at) == (truth.project_id, truth.closed_at)


def test_closed_conversations_can_be_those_of_some_projects(emulated):
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    project = emulated.world.truth(emulated.world.ids[0]).project_id
    page = emulated.client().closed(since, until, [project])
    assert {each.project_id for each in page.conversations} == {project}
    assert emulated.client().closed(until, until).conversations == ()


def test_a_check_says_what_works(emulated):
    assert [(f.level, f.subject) for f in emulated.client().check()] == [(Level.OK, "iadvize ha-335")]


def test_a_check_says_what_is_wrong_with_the_login(emulated):
    finding = emulated.client(password=Secret("wrong", "env:IADVIZE_PASSWORD")).check()[0]
    assert finding.level is Level.ERROR
    assert "env:IADVIZE_PASSWORD" in finding.message
    assert "wrong" not in finding.message


def test_a_check_says_that_the_user_does_not_see_the_client(emulated):
    findings = emulated.client(client_id=999).check()
    assert findings[-1].level is Level.ERROR
    assert "does not see client 999" in findings[-1].message


def test_a_check_says_that_nobody_answers():
    with Server(Flask("nobody")) as server:
        client = IAdvize(settings_for(server.url), MemoryTokens())
    finding = client.check()[0]
    client.close()
    assert finding.level is Level.ERROR
    assert "check api_url" in finding.message


@pytest.mark.parametrize(
    "url", ["http://api.iadvize.com", "http://10.0.0.1", "ftp://localhost", "api.iadvize.com", ""]
)
def test_passwords_travel_over_tls_only(url):
    with pytest.raises(SettingsError, match="https:// is required"):
        IAdvize(settings_for(url), MemoryTokens())


@pytest.mark.parametrize("fault", ["circular-pages", "endless-pages"])
def test_pages_of_messages_that_lead_nowhere_end_with_all_they_held(emulated, fault):
    ids = emulated.world.ids
    whole = emulated.client().fetch(ids)
    client = emulated.client()
    client.fetch(ids[:1])  # it logs in and reads the schema
    emulated.world.faults.switch_on(fault)
    before = emulated.requests()
    structlog.reset_defaults()  # whatever another test configured
    with capture_logs() as said:
        found = client.fetch(ids)
    assert emulated.requests() - before <= 3 + 3 + 3
    assert {one: found[one].messages for one in ids} == {one: whole[one].messages for one in ids}
    (line,) = said
    assert (line["log_level"], line["client"]) == ("warning", "ha/335")
    assert line["conversations"] == sum(bool(found[one].messages) for one in ids)
    assert "lead nowhere" in line["event"]


def test_messages_that_never_end_are_delivered_as_far_as_they_were_read(platform, monkeypatch):
    monkeypatch.setattr("chatferry.iadvize.batch._MOST_PAGES", 5)
    asked = []

    def conversation(_info, **_arguments):
        return {"id": identity, "createdAt": "2024-01-01T10:00:00Z", "messages": messages}

    def messages(_info, **arguments):
        asked.append(arguments.get("after"))
        node = {"messageId": f"m{len(asked)}", "text": "hi", "createdAt": "2024-01-01T10:00:00Z"}
        info = {"endCursor": f"c{len(asked)}", "hasNextPage": True}
        return {
            "edges": [{"node": {"__typename": "ParticipantConversationMessage"} | node}],
            "pageInfo": info,
        }

    identity = str(uuid.uuid4())
    client = platform(ENDLESS, {"conversation": conversation})
    found = client.fetch([identity])[identity]
    assert asked == [None, "c1", "c2", "c3", "c4", "c5"]
    assert [one.id for one in found.messages] == ["m1", "m2", "m3", "m4", "m5", "m6"]


ENDLESS = """
type Query { conversation(id: ID!): Conversation }
type Conversation { id: ID createdAt: String closedAt: String messages(first: Int, after: String): Messages }
type Messages { edges: [Edge] pageInfo: Info }
type Info { endCursor: String hasNextPage: Boolean }
type Edge { node: Message }
union Message = ParticipantConversationMessage
type ParticipantConversationMessage { messageId: ID text: String createdAt: String }
"""
