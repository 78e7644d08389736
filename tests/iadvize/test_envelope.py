from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from chatferry.errors import WebhookRefused
from chatferry.iadvize.envelope import read_event
from chatferry.model import Event

SAMPLES = sorted((Path(__file__).parent / "samples").glob("webhook.*.json"))
NOW = datetime(2024, 1, 2, tzinfo=UTC)
LEAST = {"eventId": "e-1", "eventType": "v2.conversation.closed", "platform": "ha"}


@pytest.fixture
def log():
    structlog.reset_defaults()  # whatever another test configured
    with capture_logs() as said:
        yield said


def read(raw, content_type="application/json", **options):
    return read_event(raw, content_type=content_type, received_at=NOW, **options)


def event(**members):
    return read(json.dumps(LEAST | members).encode())


def refusal(raw, **options):
    with pytest.raises(WebhookRefused) as refused:
        read(raw, **options)
    return refused.value.status, refused.value.detail


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_documented_event_is_read(path):
    raw = path.read_bytes()
    said = json.loads(raw)
    found = read(raw)
    assert (found.event_id, found.event_type) == (said["eventId"], said["eventType"])
    assert found.platform == said["platform"].lower()
    assert found.client_id == said.get("clientId")
    assert found.project_id == said.get("projectId", said.get("websiteId"))
    assert found.conversation_id == (str(said["conversationId"]) if "conversationId" in said else None)
    assert found.occurred_at == datetime.fromisoformat(said["createdAt"])
    assert found.body == raw


def test_a_closed_conversation_is_read_in_full():
    raw = (Path(__file__).parent / "samples/webhook.v2.conversation.closed.json").read_bytes()
    assert read(raw) == Event(
        event_id="0f0bb3af-5035-4ba3-b3fb-ff4879a3a74d",
        event_type="v2.conversation.closed",
        platform="ha",
        client_id=1,
        project_id=1,
        conversation_id="4c8c7408-f73c-42cd-89e9-afbbee7d9024",
        channel="CHAT",
        operator_ids=(1, 2),
        visitor_id="b05f1b45-c891-4a9c-b47e-91ee6c8ffb44",
        occurred_at=datetime(2019, 4, 12, 7, 58, 35, 171000, tzinfo=UTC),
        received_at=NOW,
        body=raw,
    )


def test_the_least_an_event_can_say_is_enough():
    found = event()
    assert (found.client_id, found.conversation_id, found.operator_ids) == (None, None, ())


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"operatorId": 7}, (7,)),
        ({"operatorId": [7, 8]}, (7, 8)),
        ({"operatorIds": [7, None, 7, 8]}, (7, 8)),
        ({"operatorIds": "ha-456678"}, (456678,)),
        ({"operatorIds": None, "operatorId": 9}, (9,)),
        ({"operatorIds": []}, ()),
    ],
)
def test_operators_come_alone_and_in_arrays(members, expected):
    assert event(**members).operator_ids == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2017-11-22T12:04:00.762Z[Etc/UTC]", datetime(2017, 11, 22, 12, 4, 0, 762000, tzinfo=UTC)),
        ("2017-04-22T11:01:00+02:00", datetime(2017, 4, 22, 9, 1, tzinfo=UTC)),
        ("2017-04-22T11:01:00+02:00[Europe/Paris]", datetime(2017, 4, 22, 9, 1, tzinfo=UTC)),
        ("2017-04-22T11:01:00", datetime(2017, 4, 22, 11, 1, tzinfo=UTC)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_dates_come_in_several_forms_and_none_costs_an_event(written, expected):
    assert event(createdAt=written).occurred_at == expected


def test_nulls_unknown_members_types_and_channels_are_accepted():
    found = event(
        eventType="v3.something.new", channel="telepathy", visitorId=None, projectId=None, extra={"a": [1]}
    )
    assert (found.event_type, found.channel, found.visitor_id) == ("v3.something.new", "TELEPATHY", None)


def test_platform_and_uuids_are_brought_to_one_form():
    found = event(platform="SD", conversationId="4C8C7408-F73C-42CD-89E9-AFBBEE7D9024")
    assert found.platform == "sd"
    assert found.conversation_id == "4c8c7408-f73c-42cd-89e9-afbbee7d9024"


@pytest.mark.parametrize("name", ["clientId", "projectId", "visitorId", "channel", "createdAt", "operatorId"])
def test_an_optional_member_may_be_empty(name):
    assert replace(event(**{name: ""}), body=b"") == replace(event(), body=b"")


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"eventId": None}, "/eventId is missing"),
        ({"eventId": ""}, "/eventId is not 1 to 128 characters long"),
        ({"eventId": "e" * 129}, "/eventId is not 1 to 128 characters long"),
        ({"eventId": 5}, "/eventId is not a string"),
        ({"eventId": "a\0b"}, "/eventId holds characters that cannot be printed"),
        ({"conversationId": "\ud800"}, "/conversationId holds characters that cannot be printed"),
        ({"clientId": 2**63}, "/clientId is not an integer between 0 and 2^63 - 1"),
        ({"clientId": "1" * 5000}, "/clientId is not an integer between 0 and 2^63 - 1"),
        ({"clientId": True}, "/clientId is not an integer between 0 and 2^63 - 1"),
        ({"clientId": 1.5}, "/clientId is not an integer between 0 and 2^63 - 1"),
        ({"clientId": -1.0}, "/clientId is not an integer between 0 and 2^63 - 1"),
        ({"clientId": 1e300}, "/clientId is not an integer between 0 and 2^63 - 1"),
        ({"conversationId": ["x"]}, "/conversationId is not a string"),
        (
            {"platform": None, "clientId": []},
            "/platform is missing; /clientId is not an integer between 0 and 2^63 - 1",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(members, problem):
    assert refusal(json.dumps(LEAST | members).encode()) == (422, problem)


@pytest.mark.parametrize(
    ("members", "left_out", "kept"),
    [
        ({"createdAt": 1_700_000_000}, "createdAt", {}),
        ({"createdAt": {"at": 1}}, "createdAt", {}),
        ({"operatorIds": [7, 2**63, "x", 8]}, "operatorIds", {"operator_ids": (7, 8)}),
        ({"operatorIds": {"id": 1}}, "operatorIds", {}),
        ({"operatorId": 2**63}, "operatorId", {}),
        ({"operatorIds": [2**63], "operatorId": 7}, "operatorIds", {"operator_ids": (7,)}),
        ({"projectId": 1.5}, "projectId", {}),
        ({"projectId": 1549, "websiteId": "x"}, "websiteId", {"project_id": 1549}),
        ({"projectId": "x", "websiteId": 1549}, "projectId", {"project_id": 1549}),
        ({"visitorId": ["x"]}, "visitorId", {}),
        ({"visitorId": "a\0b"}, "visitorId", {}),
        ({"visitorId": "v" * 129}, "visitorId", {}),
        ({"channel": 1}, "channel", {}),
        ({"channel": "c" * 129}, "channel", {}),
    ],
)
def test_a_fact_that_cannot_be_read_is_left_out_and_said_so(log, members, left_out, kept):
    found = event(**members)
    assert replace(found, body=b"") == replace(event(), body=b"", **kept)
    (line,) = log
    assert line["event"] == "facts left out"
    assert f"/{left_out} " in line["detail"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"clientId": 335.0}, {"client_id": 335}),
        ({"projectId": 1549.0, "operatorIds": [7.0]}, {"project_id": 1549, "operator_ids": (7,)}),
        ({"conversationId": 12.0, "visitorId": 13.0}, {"conversation_id": "12", "visitor_id": "13"}),
    ],
)
def test_a_number_with_nothing_after_its_point_is_an_integer(members, expected):
    assert replace(event(**members), body=b"") == replace(event(), body=b"", **expected)


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert read(b"\xef\xbb\xbf" + json.dumps(LEAST).encode()).event_id == "e-1"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "line 1, column 1: Expecting value"),
        (b'{"eventId": "1"', "line 1, column 16: Expecting ',' delimiter"),
        (b'{"eventId": NaN}', "NaN is not JSON"),
        (b'{"eventId": -Infinity}', "-Infinity is not JSON"),
        (b'{"eventId": "\xff"}', "byte 13 is not UTF-8"),
        (b"1" * 5000, "a number is too long"),
        (b"[" * 100_000, "the body is nested more than 32 deep"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "the body is nested more than 32 deep"),
    ],
)
def test_what_is_not_json_is_refused_with_the_place(raw, problem):
    assert refusal(raw) == (400, problem)


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"null", b"1"])
def test_json_that_is_no_object_is_no_event(raw):
    assert refusal(raw) == (422, "the body is not a JSON object")


def test_brackets_in_a_text_are_no_nesting():
    assert event(extra="[" * 100 + '"\\' + "{" * 100).event_id == "e-1"


def test_a_member_said_twice_counts_as_it_was_said_last():
    raw = json.dumps(LEAST).encode()[:-1] + b', "clientId": 1, "clientId": 2}'
    assert read(raw).client_id == 2


def test_a_large_body_is_refused_before_it_is_read():
    assert refusal(b"x" * 101, limit=100) == (413, "a body has 100 bytes at most")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/x+json"]
)
def test_json_content_types_are_accepted(content_type):
    assert read(json.dumps(LEAST).encode(), content_type).event_id == "e-1"


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/x-www-form-urlencoded"])
def test_other_content_types_are_refused_with_advice(content_type):
    status, detail = refusal(json.dumps(LEAST).encode(), content_type=content_type)
    assert status == 415
    assert "choose application/json" in detail


def read_or_refuse(raw):
    try:
        found = read(raw)
    except WebhookRefused as error:
        assert error.status in {400, 413, 422}  # noqa: PT017  (an event is as good an outcome)
        return
    f"{found.event_id}{found.conversation_id}{found.visitor_id}{found.channel}".encode()
    assert all(0 <= number < 2**63 for number in found.operator_ids)


@given(st.binary())
def test_any_bytes_are_an_event_or_refused(raw):
    read_or_refuse(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NUMBERS = ["clientId", "projectId", "websiteId", "operatorId", "operatorIds"]
NAMES = st.sampled_from([*LEAST, *NUMBERS, "conversationId", "visitorId", "channel", "createdAt", "other"])


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # the first text loads Unicode's tables
@given(st.dictionaries(NAMES, JSON))
def test_any_members_are_an_event_or_refused(members):
    read_or_refuse(json.dumps(LEAST | members).encode())
