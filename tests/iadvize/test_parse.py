from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatferry.errors import PlatformError
from chatferry.iadvize.parse import parse_conversation
from chatferry.iadvize.scalars import legacy_id, moment, seconds
from chatferry.model import AuthorKind, Conversation, Satisfaction, Transaction, Visitor
from chatferry.text import storable

ID = "4c8c7408-f73c-42cd-89e9-afbbee7d9024"
OBJECTS = ["project", "visitor", "tags", "users", "satisfactionSurvey", "closingFormValues", "conversions"]
BOT = {"__typename": "Bot", "id": 30, "firstName": None, "lastName": "Wall-e"}
AGENT = {
    "__typename": "Professional",
    "id": 31,
    "firstName": "Jean",
    "lastName": "Robert",
    "userName": "JeanR",
}
VISITOR = {"__typename": "Visitor", "visitorId": "b05f1b45-c891-4a9c-b47e-91ee6c8ffb44"}


def said(second, text="hello", author=VISITOR, **more):
    return {
        "__typename": "ParticipantConversationMessage",
        "messageId": f"m{second}",
        "text": text,
        "createdAt": f"2024-03-01T10:00:{second:02}.000Z",
        "author": author,
        "attachments": [],
    } | more


def told(second, *attachments):
    return {
        "__typename": "SystemMessage",
        "systemMessageId": f"s{second}",
        "createdAt": f"2024-03-01T10:00:{second:02}.000Z",
        "attachments": list(attachments),
    }


def parse(*nodes, **members) -> Conversation:
    raw = {
        "id": ID,
        "createdAt": "2024-03-01T10:00:00.000Z",
        "closedAt": "2024-03-01T10:10:00.000Z",
        "messages": {"edges": [{"node": node} for node in nodes], "pageInfo": {"hasNextPage": False}},
    } | members
    return parse_conversation(raw, platform="ha", client_id=335)


def test_the_whole_of_a_conversation_is_read():
    found = parse(
        said(1, "[](Q1) Which car?", BOT),
        said(2, "a blue one"),
        channel="chat",
        language="FR",
        duration="PT1H2M3.5S",
        project={"id": 1549, "name": "My brand online"},
        visitor={
            "visitorId": "v",
            "source": "ONSITE",
            "email": " a@example.org ",
            "firstName": "",
            "phoneNumber": "1",
        },
        tags=[{"id": "t", "name": "hot"}, {"name": "hot"}, {"name": "lead"}],
        satisfactionSurvey={
            "customerSatisfaction": 5,
            "netPromoterScore": 10,
            "satisfactionComment": "Rapide",
        },
        closingFormValues=[{"label": "Budget", "value": "high"}, {"key": "k", "values": ["a", "b"]}],
        conversions={
            "transactions": [{"id": "x", "externalConversionId": "t-1", "amount": 300.2, "currency": "EUR"}]
        },
        visitorConversationCustomData={
            "customData": [
                {
                    "__typename": "VisitorConversationCustomDataEntryString",
                    "key": "plan",
                    "stringValue": "gold",
                },
                {"__typename": "VisitorConversationCustomDataEntryInt", "key": "age", "intValue": 0},
                {"__typename": "VisitorConversationCustomDataEntryFloat", "key": "sum", "floatValue": 1.5},
                {
                    "__typename": "VisitorConversationCustomDataEntryBoolean",
                    "key": "vip",
                    "booleanValue": False,
                },
            ]
        },
    )
    assert found.key == f"ha-335-{ID}"
    assert found.closed_at == datetime(2024, 3, 1, 10, 10, tzinfo=UTC)
    assert (found.channel, found.language, found.duration) == ("CHAT", "fr", 3723.5)
    assert (found.project_id, found.project_name) == (1549, "My brand online")
    assert found.visitor == Visitor(id="v", source="ONSITE", email="a@example.org", phone="1")
    assert found.tags == ("hot", "lead")
    assert found.satisfaction == Satisfaction(csat=5, nps=10, comment="Rapide")
    assert found.closing_form == {"Budget": "high", "k": "a, b"}
    assert found.transactions == (Transaction(id="x", external_id="t-1", amount=300.2, currency="EUR"),)
    assert found.custom_data == {"plan": "gold", "age": 0, "sum": 1.5, "vip": False}
    assert [(m.author.kind, m.text) for m in found.messages] == [
        (AuthorKind.BOT, "[](Q1) Which car?"),
        (AuthorKind.VISITOR, "a blue one"),
    ]


@pytest.mark.parametrize(
    ("author", "kind", "name"),
    [
        (VISITOR, AuthorKind.VISITOR, None),
        (BOT, AuthorKind.BOT, "Wall-e"),
        (AGENT, AuthorKind.AGENT, "JeanR"),
        ({"__typename": "Expert", "id": 1, "firstName": "Ana"}, AuthorKind.AGENT, "Ana"),
        ({"__typename": "IbbuManager"}, AuthorKind.AGENT, None),
        ({"__typename": "ThirdPartyAccount", "name": "Brand"}, AuthorKind.AGENT, "Brand"),
        ({"__typename": "CopilotBot", "id": 2}, AuthorKind.BOT, None),
        ({"__typename": "SomethingNew"}, AuthorKind.AGENT, None),
        (None, AuthorKind.SYSTEM, None),
    ],
)
def test_every_author_has_a_kind(author, kind, name):
    found = parse(said(1, author=author)).messages[0].author
    assert (found.kind, found.name) == (kind, name)


def test_operators_are_gathered_from_wherever_they_are_named():
    found = parse(
        told(
            1, {"__typename": "ConversationPushedSystemAttachment", "toUser": {"__typename": "Bot", "id": 30}}
        ),
        said(2, author=BOT),
        said(3, author=AGENT),
        said(4, author={"__typename": "ThirdPartyAccount", "id": 99}),
        told(5, {"__typename": "ConversationPushedSystemAttachment", "toUser": {"id": "ha-32"}}),
        users=[{"id": 33}, None],
    )
    assert found.operator_ids == (30, 31, 32, 33)


def test_messages_are_sorted_by_time_and_ties_stay_in_order():
    found = parse(said(3), said(1), said(2, messageId="b"), said(2, messageId="a"), said(1))
    assert [message.id for message in found.messages] == ["m1", "b", "a", "m3"]


def test_a_message_without_date_follows_the_one_before():
    found = parse(said(1), said(9, createdAt=None), said(2))
    assert [message.id for message in found.messages] == ["m1", "m9", "m2"]


def test_no_date_at_all_is_an_error_with_its_place():
    with pytest.raises(PlatformError, match="/messages/edges/0/node/createdAt"):
        parse(said(1, createdAt="soon"), createdAt=None)


def test_no_id_is_an_error_with_its_place():
    with pytest.raises(PlatformError, match="/id"):
        parse(id=None)


def test_automatic_texts_are_attachments_of_system_messages():
    message = parse(
        told(1, {"__typename": "AutomaticMessageSentSystemAttachment", "text": "[](Q1) Name?"})
    ).messages[0]
    assert message.author.kind is AuthorKind.SYSTEM
    assert list(message.texts) == ["[](Q1) Name?"]


@pytest.mark.parametrize(
    ("attachment", "text"),
    [
        (
            {"__typename": "QuickReplyMenuAttachment", "message": "[](Q2) Size?", "choices": ["S", "M"]},
            "[](Q2) Size?\n- S\n- M",
        ),
        (
            {"__typename": "FileAttachment", "fileName": "a.pdf", "url": "https://x/a.pdf"},
            "a.pdf (https://x/a.pdf)",
        ),
        ({"__typename": "ImageAttachment", "url": "https://x/a.png"}, "https://x/a.png"),
        (
            {"__typename": "FileBundleAttachment", "attachments": [{"fileName": "a"}, {"fileName": "b"}]},
            "a\nb",
        ),
        ({"__typename": "LinkAttachment", "title": "Shop", "url": "https://x"}, "Shop (https://x)"),
        (
            {
                "__typename": "CardBundleAttachment",
                "cards": [
                    {"title": "One", "text": "first", "actions": [{"title": "Go", "url": "https://x"}]}
                ],
            },
            "One\nfirst\n- Go (https://x)",
        ),
        (
            {
                "__typename": "ProductAttachment",
                "title": "Bag",
                "priceText": "9 €",
                "productUrl": "https://x",
            },
            "Bag 9 € (https://x)",
        ),
        (
            {
                "__typename": "ProductOfferAttachment",
                "title": "Bag",
                "priceText": "9 €",
                "offerPriceText": "7 €",
            },
            "Bag 7 €",
        ),
        ({"__typename": "LinkAttachment", "title__LinkAttachment": "Shop"}, "Shop"),
        ({"__typename": "SomethingNew", "message": "hi", "depth": {}}, "hi"),
        ({"__typename": "UnsupportedAttachment"}, ""),
        ({}, ""),
    ],
)
def test_attachments_are_reduced_to_readable_text(attachment, text):
    found = parse(said(1, "", attachments=[attachment])).messages[0].attachments[0]
    assert found.text == text
    assert found.raw.get("__typename") == attachment.get("__typename")


def test_an_erased_visitor_has_nothing():
    assert parse(visitor=dict.fromkeys(["visitorId", "email", "firstName", "updatedAt"])).visitor == Visitor()


def test_nulls_everywhere_are_an_empty_conversation():
    names = ["language", "channel", "duration", "customData", "messages", *OBJECTS]
    found = parse(**dict.fromkeys(names))
    assert (found.messages, found.tags, found.custom_data, found.operator_ids) == ((), (), {}, ())


def test_what_no_database_takes_is_cleaned():
    found = parse(said(1, "a\0b \ud83d \U0001f600"))
    assert found.messages[0].text == "ab \ufffd \U0001f600"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("FR", "fr"), ({"code": "en"}, "en"), ({"name": "German"}, "german"), (7, None), ({}, None)],
)
def test_a_language_is_a_word_or_an_object(language, expected):
    assert parse(language=language).language == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("PT5M3S", 303.0), ("P1DT1H", 90_000.0), ("P2W", 1_209_600.0), ("PT0.5S", 0.5), (12, 12.0)]
    + [(bad, None) for bad in ("P", "PT", "", "5 minutes", "PT.S", "PT1..2S", None, True, -1)],
)
def test_durations_are_seconds(written, expected):
    assert seconds(written) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)
NODE = st.sampled_from(
    ["__typename", "messageId", "systemMessageId", "text", "createdAt", "author", "attachments"]
)
AUTHOR = st.dictionaries(
    st.sampled_from(["__typename", "id", "visitorId", "firstName", "id__Bot"]), JSON, max_size=3
)
ATTACHMENT = st.dictionaries(
    st.sampled_from(["__typename", "message", "choices", "cards", "url", "image", "a__B"]), JSON, max_size=4
)
SCALARS = ["id", "createdAt", "closedAt", "channel", "duration", "language"]
MEMBERS = st.sampled_from([*SCALARS, *OBJECTS, "customData", "visitorConversationCustomData"])


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # the first text loads Unicode's tables
@given(
    st.dictionaries(
        MEMBERS,
        JSON | st.lists(st.dictionaries(st.sampled_from(["key", "value", "id", "node"]), JSON), max_size=2),
        max_size=4,
    ),
    JSON
    | st.lists(
        st.fixed_dictionaries(
            {"node": st.dictionaries(NODE, JSON | AUTHOR | st.lists(ATTACHMENT, max_size=2), max_size=5)}
        ),
        max_size=3,
    ),
)
def test_whatever_iadvize_answers_it_is_a_conversation_or_a_platform_error(members, edges):
    try:
        found = parse_conversation(
            {"id": ID, "messages": {"edges": edges}} | members, platform="ha", client_id=335
        )
    except PlatformError:
        return
    assert list(found.messages) == sorted(found.messages, key=lambda message: message.at)
    texts = [text for message in found.messages for text in message.texts]
    json.dumps([found.id, found.tags, texts, dict(found.custom_data)], ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("written", "read"),
    [(335, 335), ("335", 335), ("ha-335", 335), ("-335", None), (-335, None), ("x", None)],
)
def test_a_legacy_id_is_read_in_each_of_its_forms_and_in_no_other(written, read):
    assert legacy_id(written) == read


@given(JSON)
def test_scalars_never_raise(value):
    for read in (moment, legacy_id, seconds, storable):
        read(value)


def test_a_message_shown_on_two_pages_is_read_once():
    found = parse(said(1, "first"), said(2), said(1, "again"))
    assert [message.text for message in found.messages] == ["first", "hello"]
