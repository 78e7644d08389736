"""Answers no emulator of a sane platform would give."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest
from dripping import DRIPPING, OK, serving
from flask import Response, request
from graphql import build_schema, introspection_from_schema

from chatferry.errors import PlatformAuthFailure, PlatformError, PlatformUnavailable
from chatferry.http.token_store import MemoryTokens
from chatferry.iadvize.client import IAdvize
from chatferry.model import Conversation
from chatferry.settings.model import ClientSettings
from chatferry.settings.secrets import Secret

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
    assert isinstance(outcome, PlatformUnavailable)
    assert "in time" in str(outcome)


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


@pytest.fixture
def serve():
    with serving() as serve:
        yield serve


def after_login(answer):
    """Answer a login, then this."""
    token = b'{"access_token": "key"}'
    logins = [OK + b"Content-Length: %d\r\n\r\n" % len(token) + token]

    def answers(server, send):
        send(logins.pop()) if logins else answer(server, send)

    return answers


@pytest.mark.parametrize("answer", [*DRIPPING, *map(after_login, DRIPPING)])
def test_a_platform_that_answers_drop_by_drop_is_left_at_the_deadline(serve, answer):
    settings = ClientSettings(
        platform="ha",
        client_id=335,
        username=Secret("user", "env:USER"),
        password=Secret("word", "env:WORD"),
        api_url=serve(answer).url,
        timeout=0.1,
    )
    with closing(IAdvize(settings, MemoryTokens())) as client:
        (outcome,) = client.fetch([str(uuid.uuid4())]).values()
    assert isinstance(outcome, PlatformUnavailable)
    assert "in time" in str(outcome)


WHOLE = {
    "id": "",
    "createdAt": "2024-01-01T10:00:00Z",
    "closedAt": "2024-01-01T11:00:00Z",
    "channel": "CHAT",
    "project": {"id": 7, "name": "Shop"},
    "visitor": {"visitorId": "v", "email": "a@example.org", "firstName": "Ada", "address": "x"},
    "tags": [{"name": "vip"}],
    "satisfactionSurvey": {"netPromoterScore": 9},
    "messages": {
        "edges": [
            {
                "node": {
                    "__typename": "ParticipantConversationMessage",
                    "messageId": f"m{n}",
                    "text": "hello",
                    "createdAt": f"2024-01-01T10:0{n}:00Z",
                    "author": {"__typename": "Visitor", "id": "v"},
                    "attachments": [{"__typename": "LinkAttachment", "toUser": {"id": 1}, "url": "u"}],
                }
            }
            for n in range(3)
        ],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    },
}


def places(value, path=()):
    """Every place of an answer."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield from places(one, (*path, key))


def emptied(value, path):
    """Return an answer with null at a place."""
    if not path:
        return None
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = emptied(value[path[0]], path[1:])
    return copy


ESSENTIAL = {
    *[("id",), ("closedAt",), ("visitor",), ("visitor", "visitorId"), ("visitor", "email")],
    *[("messages",), ("messages", "edges"), ("messages", "pageInfo")],
    *[("messages", "pageInfo", "hasNextPage"), ("messages", "pageInfo", "endCursor")],
}


@pytest.mark.parametrize("path", list(places(WHOLE))[1:], ids=str)
def test_an_error_at_any_place_costs_what_is_there_and_the_lead_only_where_it_needs_it(answering, path):
    def answer(body):
        whole = WHOLE | {"id": body["variables"]["i0"]}
        error = {"message": "a@b.c", "path": ["c0", *path]}
        return {"data": {"c0": emptied(whole, path)}, "errors": [error]}

    outcome = outcome_of(answering(answer))
    assert isinstance(outcome, PlatformError if path in ESSENTIAL else Conversation)


def test_of_a_message_with_a_strange_part_the_rest_is_read(answering):
    def answer(body):
        path = ("messages", "edges", 1, "node", "attachments", 0, "toUser")
        whole = emptied(WHOLE | {"id": body["variables"]["i0"]}, path)
        return {"data": {"c0": whole}, "errors": [{"message": "x", "path": ["c0", *path]}]}

    assert [message.text for message in outcome_of(answering(answer)).messages] == ["hello"] * 3


STRANGE = [None, 7, "text", [], {}, {"node": None}, {"node": 7}, {"node": {"__typename": "New"}}]


@pytest.mark.parametrize("strange", STRANGE, ids=str)
def test_an_unknown_kind_of_message_costs_no_other(answering, strange):
    def answer(body):
        whole = WHOLE | {"id": body["variables"]["i0"]}
        edges = [*whole["messages"]["edges"], strange]
        return {"data": {"c0": whole | {"messages": whole["messages"] | {"edges": edges}}}}

    texts = [message.text for message in outcome_of(answering(answer)).messages]
    assert texts[:3] == ["hello"] * 3


@pytest.mark.parametrize(
    ("users", "operators"),
    [
        ([{"id": 7}, {"id": "ha-9"}], (7, 9)),
        ([], ()),
        (None, None),
        ([{"id": 7}, None], None),
        ([{"id": "x"}], None),
        ({"edges": []}, None),
    ],
)
def test_closed_conversations_may_name_their_operators(answering, users, operators):
    edges = [{"node": {"id": "c", "users": users}}, {"node": {"id": "d"}}]
    page = answering(lambda _: {"data": {"closed": {"edges": edges, "pageInfo": {}}}}).closed(SINCE, SINCE)
    assert [one.operator_ids for one in page.conversations] == [operators, None]
