"""Answers no emulator of a sane platform would give."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from flask import Response, request
from graphql import build_schema, introspection_from_schema

from chatferry.errors import PlatformAuthFailure, PlatformError, PlatformUnavailable
from chatferry.iadvize.http import TimedOut
from chatferry.model import Conversation

SDL = """
type Query {
  conversation(id: ID!): Conversation
  closedConversations(interval: Interval!, first: Int, after: String): Closed
}
input Interval { from: String! to: String! }
type Closed { edges: [ClosedEdge] pageInfo: Info }
type ClosedEdge { node: Conversation }
type Info { endCursor: String hasNextPage: Boolean }
type Conversation {
  id: ID createdAt: String closedAt: String messages(first: Int, after: String): Messages
}
type Messages { edges: [Edge] pageInfo: Info }
type Edge { node: Message }
union Message = ParticipantConversationMessage
type ParticipantConversationMessage { messageId: ID text: String createdAt: String }
"""
SINCE = datetime(2024, 1, 1, tzinfo=UTC)
INTROSPECTION = introspection_from_schema(build_schema(SDL))


@pytest.fixture
def answering(platform):
    """Return ``answering(answer)``: a client whose documents are answered by ``answer(body)``."""

    def make(answer, **options):
        def refuse(body):
            return {"data": INTROSPECTION} if "IntrospectionQuery" in body["query"] else answer(body)

        return platform(SDL, {}, refuse=refuse, **options)

    return make


def outcome_of(client):
    identity = str(uuid.uuid4())
    return client.fetch([identity])[identity]


def chat(body, **members):
    message = {"messageId": "m", "text": "hi", "createdAt": "2024-01-01T10:00:00Z"}
    messages = {"edges": [{"node": message}], "pageInfo": {"hasNextPage": False}}
    return {"c0": {"id": body["variables"]["i0"], "messages": messages} | members}


@pytest.mark.parametrize(
    "answer", [{}, [], 7, {"data": None}, {"data": []}, {"errors": "no"}, {"data": None, "errors": []}]
)
def test_json_that_is_no_graphql_result_is_no_answer(answering, answer):
    outcome = outcome_of(answering(lambda _: Response(json.dumps(answer))))
    assert isinstance(outcome, PlatformUnavailable)


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "INVALID_TOKEN"])
def test_a_refused_key_may_hide_in_a_200(answering, code):
    outcome = outcome_of(answering(lambda _: {"errors": [{"message": "", "extensions": {"code": code}}]}))
    assert isinstance(outcome, PlatformAuthFailure)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda body: {"data": chat(body, id="another")}, "answered with something else"),
        (lambda _: {"data": {"c0": "text"}}, "answered with something else"),
        (
            lambda _: {"data": {"c0": None}, "errors": [{"message": "a@b.c"}]},
            "reports an error at / (no code",
        ),
        (lambda _: {"data": {"c0": None}, "errors": [{"path": "c0"}]}, "reports an error at /"),
        (lambda _: {"data": {"c0": None}}, "does not show it yet"),
        (lambda _: {"data": {}}, "does not show it yet"),
    ],
)
def test_what_is_wrong_with_one_conversation_is_said_without_its_words(answering, answer, words):
    outcome = outcome_of(answering(answer))
    assert isinstance(outcome, PlatformError)
    assert words in str(outcome)
    assert "a@b.c" not in str(outcome)


def test_a_conversation_that_cannot_be_read_is_an_error_of_its_own(answering):
    nodes = {"edges": [{"node": {"messageId": "m", "text": "hi"}}]}
    assert "no date at" in str(outcome_of(answering(lambda body: {"data": chat(body, messages=nodes)})))


@pytest.mark.parametrize(
    "page", [None, {"messages": None}, {"messages": {"edges": None}}, {"messages": {"edges": []}, "id": "x"}]
)
def test_a_page_that_is_missing_fails_the_conversation_rather_than_cutting_it(answering, page):
    def answer(body):
        if "query Messages" in body["query"]:
            return {"data": {"c0": page}}
        found = chat(body)
        found["c0"]["messages"]["pageInfo"] = {"hasNextPage": True, "endCursor": "x"}
        return {"data": found}

    assert isinstance(outcome_of(answering(answer)), PlatformError)


@pytest.mark.parametrize(
    "closed",
    [
        None,
        {},
        {"edges": 5, "pageInfo": {}},
        {"edges": [{"node": {"id": None}}], "pageInfo": {}},
        {"edges": [], "pageInfo": {"hasNextPage": True}},
    ],
)
def test_closed_conversations_of_a_strange_shape_are_an_error(answering, closed):
    with pytest.raises(PlatformError, match="closed"):
        answering(lambda _: {"data": {"closed": closed}}).closed(SINCE, SINCE)


def test_closed_conversations_may_be_poor(answering):
    edges = [None, {"node": None}, {"node": {"id": "c", "closedAt": "soon"}}]
    page = answering(lambda _: {"data": {"closed": {"edges": edges, "pageInfo": {}}}}).closed(SINCE, SINCE)
    assert [(each.id, each.closed_at) for each in page.conversations] == [("c", None)]


def test_closed_conversations_no_ledger_could_hold_are_left_out_and_channels_cut(answering):
    nodes = [{"id": "c" * 129}, {"id": "c\0"}, {"id": "c", "channel": "C\0" * 200}]
    closed = {"edges": [{"node": node} for node in nodes], "pageInfo": {}}
    page = answering(lambda _: {"data": {"closed": closed}}).closed(SINCE, SINCE)
    assert [(each.id, each.channel) for each in page.conversations] == [("c", "C" * 128)]


def test_an_old_schema_is_used_while_a_new_one_is_not_to_be_had(platform):
    now, away = [1_700_000_000.0], []

    def refuse(body):
        if "IntrospectionQuery" in body["query"]:
            return ("", 503) if away else None
        return {"data": chat(body)}

    client = platform(SDL, {}, refuse=refuse, clock=lambda: now[0])
    assert isinstance(outcome_of(client), Conversation)
    away.append(True)
    now[0] += 90_000
    assert isinstance(outcome_of(client), Conversation)


@pytest.mark.parametrize("schema", [{}, {"__schema": None}, {"__schema": {"types": [{"kind": "OBJECT"}]}}])
def test_an_introspection_that_makes_no_sense_is_an_error(platform, schema):
    client = platform(SDL, {}, refuse=lambda _: {"data": schema})
    assert "introspection is no schema" in str(outcome_of(client))


def test_an_answer_that_trickles_in_is_given_up(answering):
    def trickle():
        for _ in range(50):
            yield " "
            time.sleep(0.05)

    outcome = outcome_of(answering(lambda _: Response(trickle()), timeout=0.3))
    assert isinstance(outcome, TimedOut)


def test_half_an_emoji_does_not_spoil_a_document(answering):
    def answer(body):
        found = chat(body)
        found["c0"]["messages"]["edges"][0]["node"]["text"] = "\ud83d!"
        return Response(json.dumps({"data": found}))

    assert outcome_of(answering(answer)).messages[0].text == "\ufffd!"


def test_threads_share_one_client_which_keeps_no_cookie(answering):
    cookies = []

    def answer(body):
        cookies.append(dict(request.cookies))
        response = Response(json.dumps({"data": chat(body)}))
        response.set_cookie("session", str(uuid.uuid4()))
        return response

    client = answering(answer)
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda _: outcome_of(client), range(64)))
    assert all(isinstance(outcome, Conversation) for outcome in outcomes)
    assert cookies == [{}] * 64
