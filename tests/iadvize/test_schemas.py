"""The client against schemas that are not the emulator's, served by graphql-core."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import GraphQLError, GraphQLObjectType, build_schema, introspection_from_schema, parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatferry.errors import PlatformError, PlatformUnavailable
from chatferry.iadvize.documents import Documents
from chatferry.model import AuthorKind, Conversation

SINCE, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)

# Messages through an interface, nullable and not, an object for a language, customData on the conversation.
OTHER = """
type Query {
  conversation(conversationId: ID!): Conversation
  closedConversations(filters: Filters!, first: Int, after: String): Closed
}
input Filters { interval: Period! projectIds: [Int!] }
input Period { since: String! until: String! }
type Closed { edges: [ClosedEdge!]! pageInfo: Info! }
type ClosedEdge { node: Conversation! }
type Info { endCursor: String hasNextPage: Boolean! }
type Conversation {
  id: ID! createdAt: String closedAt: String language: Language
  customData: [Entry] tags: [String!] visitor: Visitor
  messages(first: Int, after: String): Messages
}
type Language { code: String! }
type Entry { key: String stringValue: String }
type Visitor { visitorId: ID! email: String }
type Messages { edges: [Edge] pageInfo: Info }
type Edge { node: Message }
interface Message { createdAt: String! }
type ParticipantConversationMessage implements Message {
  createdAt: String! messageId: ID text: String author: Participant attachments: [Attachment!]!
}
type SystemMessage implements Message {
  createdAt: String! systemMessageId: ID attachments: [SystemAttachment]
}
interface Participant { id: ID }
type Bot implements Participant { id: ID! firstName: String! }
type Professional implements Participant { id: ID firstName: String }
type Visited implements Participant { id: ID }
union Attachment = LinkAttachment | QuickReplyMenuAttachment | CardAttachment
type LinkAttachment { title: String! url: String }
type CardAttachment { title: String url: Int }
type QuickReplyMenuAttachment { message: String! choices: [String!] }
union SystemAttachment = AutomaticMessageSentSystemAttachment | Nothing
type AutomaticMessageSentSystemAttachment { text: String! }
type Nothing { nothing: Int }
"""


def said(text, author, *attachments):
    return {
        "node": {
            "__typename": "ParticipantConversationMessage",
            "createdAt": "2024-01-01T10:00:00Z",
            "text": text,
            "author": author,
            "attachments": list(attachments),
        }
    }


BOT = {"__typename": "Bot", "id": 5, "firstName": "Eve"}
LINK = {"__typename": "LinkAttachment", "title": "Shop", "url": "https://x"}
CARD = {"__typename": "CardAttachment", "title": "Card", "url": 7}
MENU = {"__typename": "QuickReplyMenuAttachment", "message": "Size?", "choices": ["S"]}


def conversation(_info, **arguments):
    identity = arguments.get("conversationId") or arguments["id"]
    return {
        "id": identity,
        "closedAt": "2024-01-01T11:00:00Z",
        "language": {"code": "FR"},
        "customData": [{"key": "plan", "stringValue": "gold"}],
        "tags": ["hot"],
        "visitor": {"visitorId": "v", "email": "a@example.org"},
        "messages": {"edges": [said("hi", BOT, LINK, CARD, MENU)], "pageInfo": {"hasNextPage": False}},
    }


def test_another_shape_of_schema_is_read_as_well(platform):
    identity = str(uuid.uuid4())
    client = platform(OTHER, {"conversation": conversation})
    found = client.fetch([identity])[identity]
    assert isinstance(found, Conversation)
    assert (found.language, found.tags, found.custom_data) == ("fr", ("hot",), {"plan": "gold"})
    assert found.visitor.email == "a@example.org"
    message = found.messages[0]
    assert (message.author.kind, message.author.id, message.author.name) == (AuthorKind.BOT, "5", "Eve")
    assert list(message.texts) == ["hi", "Shop (https://x)", "Card", "Size?\n- S"]
    assert found.operator_ids == (5,)


def test_filters_in_one_input_are_filled(platform):
    asked = []

    def closed(_info, **arguments):
        asked.append(arguments)
        return {"edges": [{"node": {"id": "c"}}], "pageInfo": {"endCursor": "x", "hasNextPage": True}}

    page = platform(OTHER, {"closedConversations": closed}).closed(SINCE, UNTIL, [1549])
    assert (page.conversations[0].id, page.after) == ("c", "x")
    interval = {"since": "2024-01-01T00:00:00.000Z", "until": "2024-01-02T00:00:00.000Z"}
    assert asked == [{"filters": {"interval": interval, "projectIds": [1549]}, "first": 100, "after": None}]


@pytest.mark.parametrize("end", ["x", "", None])
def test_a_cursor_that_leads_nowhere_ends_the_list(platform, end):
    info = {"endCursor": end, "hasNextPage": True}

    def stuck(_info, **arguments):
        return conversation(None, **arguments) | {"messages": {"edges": [], "pageInfo": info}}

    client = platform(OTHER, {"conversation": stuck, "closedConversations": {"edges": [], "pageInfo": info}})
    identity = str(uuid.uuid4())
    found = client.fetch([identity])[identity]
    assert isinstance(found, Conversation)
    assert found.messages == ()
    page = client.closed(SINCE, UNTIL)
    assert (page.has_more, page.after) == (True, end or None)


def test_an_error_inside_a_message_costs_its_words_and_not_the_lead(platform):
    def broken(_info):
        raise GraphQLError("somebody@example.org cannot be read", extensions={"code": "INTERNAL"})

    def some(_info, **arguments):
        found = conversation(None, **arguments)
        if found["id"] == ids[1]:
            found["messages"]["edges"][0]["node"]["text"] = broken
        if found["id"] == ids[2]:
            found["tags"] = broken
        return found

    ids = [str(uuid.uuid4()) for _ in range(3)]
    found = platform(OTHER, {"conversation": some}).fetch(ids)
    assert isinstance(found[ids[0]], Conversation)
    assert isinstance(found[ids[1]], Conversation)
    assert found[ids[1]].messages[0].text == ""
    assert found[ids[2]].tags == ()


def test_a_poisonous_conversation_harms_no_other(platform):
    ids = [str(uuid.uuid4()) for _ in range(20)]
    poison = {ids[0], ids[13]}

    def refuse(body):
        return ("", 500) if poison & set(body.get("variables", {}).values()) else None

    client = platform(OTHER, {"conversation": conversation}, refuse=refuse)
    found = client.fetch(ids)
    assert {identity for identity, outcome in found.items() if isinstance(outcome, PlatformError)} == poison


def test_a_schema_that_changed_is_asked_for_again(platform):
    identity = str(uuid.uuid4())
    removed = []

    def refuse(body):
        if removed and "email" in body["query"]:
            return {"errors": [{"message": 'Cannot query field "email" on type "Visitor".'}]}, 400
        return None

    now = [1_700_000_000.0]
    client = platform(OTHER, {"conversation": conversation}, refuse=refuse, clock=lambda: now[0])
    assert client.fetch([identity])[identity].visitor.email == "a@example.org"
    removed.append("email")
    now[0] += 61
    client.platform.schema = build_schema(OTHER.replace("visitorId: ID! email: String", "visitorId: ID!"))
    assert client.fetch([identity])[identity].visitor.email is None


def test_documents_that_are_all_refused_are_not_halved_without_end(platform):
    refused = []

    def refuse(body):
        if "IntrospectionQuery" in body["query"]:
            return None
        refused.append(body)
        return {"errors": [{"message": "no"}]}, 400

    client = platform(OTHER, {"conversation": conversation}, refuse=refuse)
    assert len(client.fetch([str(uuid.uuid4()) for _ in range(50)])) == 50
    assert len(refused) < 20


@pytest.mark.parametrize(
    "sdl",
    ["type Query { hello: String }", "type Query { conversation(id: ID!): Talk } type Talk { mood: String }"],
)
def test_a_schema_without_conversations_is_a_clear_error(platform, sdl):
    identity = str(uuid.uuid4())
    client = platform(sdl, {})
    assert "iAdvize's schema" in str(client.fetch([identity])[identity])
    assert "iAdvize's schema" in client.check()[0].message


KNOWN = build_schema((Path(__file__).parent / "samples/schema_known.graphql").read_text(encoding="utf-8"))
OBJECTS = [k for k in KNOWN.type_map.values() if isinstance(k, GraphQLObjectType) and k.name[0] != "_"]
FIELDS = [(kind.name, name) for kind in OBJECTS for name in kind.fields if name != "conversation"]


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # validation takes long
@given(st.sets(st.sampled_from(FIELDS), max_size=80))
def test_whatever_fields_a_schema_loses_the_documents_stay_valid(lost):
    taken = [
        (KNOWN.type_map[owner].fields, name, KNOWN.type_map[owner].fields.pop(name)) for owner, name in lost
    ]
    try:
        documents = Documents(KNOWN)
        for document in (documents.conversations(2), documents.closed(), documents.pages(2)):
            assert validate(KNOWN, parse(document.text)) == []
    except PlatformError:
        return
    finally:
        for fields, name, definition in taken:
            fields[name] = definition


def test_identifiers_are_variables_and_never_part_of_the_document(platform):
    bodies = []
    client = platform(OTHER, {"conversation": conversation}, refuse=bodies.append)
    identity = str(uuid.uuid4())
    client.fetch([identity])
    assert identity in json.dumps(bodies[-1]["variables"])
    assert identity not in bodies[-1]["query"]


class Changing:
    """A platform whose schema may lose and regain a field; it counts what it refuses."""

    def __init__(self, platform, refusal, now):
        self.documents, self.refused, self.introspections = 0, 0, 0
        self.refusal, self.lag = refusal, None
        self.client = platform(CHANGING, CHANGING_ROOT, refuse=self._answer, clock=lambda: now[0])
        self.schema = self.client.platform.schema

    def lose(self, field):
        self.schema = build_schema(CHANGING.replace(field, ""))
        self.client.platform.schema = self.schema

    def _answer(self, body):
        document = parse(body["query"])
        if "IntrospectionQuery" in body["query"]:
            self.introspections += 1
            return {"data": introspection_from_schema(self.lag)} if self.lag else None
        self.documents += 1
        if validate(self.schema, document):
            self.refused += 1
            return self.refusal
        return None


CHANGING = """
type Query { conversation(id: ID!): Conversation closedConversations(interval: Interval!): Closed }
input Interval { from: String! to: String! }
type Closed { edges: [ClosedEdge] pageInfo: Info }
type ClosedEdge { node: Conversation }
type Info { endCursor: String hasNextPage: Boolean }
type Conversation { id: ID createdAt: String closedAt: String channel: String duration: String users: [User] }
type User { id: Int }
"""
CHANGING_ROOT = {
    "conversation": lambda _info, **asked: {"id": asked["id"], "createdAt": "2024-01-01T10:00:00Z"},
    "closedConversations": lambda _info, **_: {
        "edges": [{"node": {"id": "c"}}],
        "pageInfo": {"hasNextPage": False},
    },
}
UNKNOWN_FIELD = {"errors": [{"message": 'Cannot query field "duration" on type "Conversation".'}]}
REFUSALS = [
    (UNKNOWN_FIELD, 400),
    UNKNOWN_FIELD | {"data": None},
    {"errors": [{"message": "no", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}], "data": None},
    ("", 400),
]


def some(count):
    return [str(uuid.uuid4()) for _ in range(count)]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_schema_that_changes_right_after_it_was_read_costs_a_document_and_a_reading(platform, refusal):
    changing = Changing(platform, refusal, [1_700_000_000.0])
    changing.client.fetch(some(1))
    for lost in ("duration: String", "channel: String"):  # and once more at once
        changing.lose(lost)
        before = changing.introspections, changing.refused, changing.documents
        found = changing.client.fetch(some(50))
        assert all(isinstance(one, Conversation) for one in found.values())
        assert changing.introspections - before[0] == 1
        assert changing.refused - before[1] == 1
        assert changing.documents - before[2] == 2
    assert changing.client.batch_size == 50


def test_threads_that_meet_a_new_schema_together_read_it_once(platform):
    changing = Changing(platform, UNKNOWN_FIELD | {"data": None}, [1_700_000_000.0])
    changing.client.fetch(some(1))
    changing.lose("duration: String")
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(changing.client.fetch, [some(50) for _ in range(6)]))
    assert all(isinstance(one, Conversation) for some in found for one in some.values())
    assert changing.introspections == 2
    assert changing.refused <= 6


def test_a_schema_that_lags_behind_makes_all_wait_and_splits_no_document(platform):
    now = [1_700_000_000.0]
    changing = Changing(platform, UNKNOWN_FIELD | {"data": None}, now)
    changing.client.fetch(some(1))
    changing.lag = changing.schema
    changing.lose("duration: String")
    for _ in range(20):
        found = changing.client.fetch(some(50))
        assert all(isinstance(one, PlatformUnavailable) and one.retry_after for one in found.values())
    assert changing.introspections == 2
    assert changing.refused == 20
    now[0] += 6
    changing.lag = None
    found = changing.client.fetch(some(50))
    assert all(isinstance(one, Conversation) for one in found.values())
    assert changing.refused == 21


def test_a_list_whose_fields_change_is_read_all_the_same(platform):
    changing = Changing(platform, ("", 400), [1_700_000_000.0])
    changing.client.closed(SINCE, UNTIL)
    changing.lose("users: [User]")
    assert changing.client.closed(SINCE, UNTIL).conversations[0].id == "c"
    assert (changing.refused, changing.introspections) == (1, 2)


def test_documents_that_are_refused_for_something_else_cost_a_reading_a_minute(platform):
    now = [1_700_000_000.0]
    changing = Changing(platform, ("", 400), now)
    changing.client.fetch(some(1))
    changing.client.platform.schema = changing.schema
    changing.schema = build_schema("type Query { nothing: ID }")  # every document is refused, nothing is new
    for _ in range(3):
        changing.client.fetch(some(2))
        now[0] += 31
    assert changing.introspections == 1 + 2
