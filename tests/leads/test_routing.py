from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatferry.leads.routing import Verdict, decide, live_wanted, mismatch, wanted
from chatferry.model import Author, AuthorKind, Conversation, Lead, Message
from chatferry.settings.model import DestinationSettings, IAdvizeSettings, Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def said(kind: AuthorKind) -> Message:
    return Message(id=kind, at=NOON, author=Author(kind=kind), text="hello")


TALK = Conversation(
    id="c1",
    platform="ha",
    client_id=335,
    project_id=1549,
    channel="CHAT",
    closed_at=NOON,
    operator_ids=(7, 8),
    messages=(said(AuthorKind.VISITOR), said(AuthorKind.BOT)),
)
UNANSWERED = replace(TALK, messages=(said(AuthorKind.VISITOR), said(AuthorKind.SYSTEM)))
RUNNING = replace(TALK, closed_at=None)


def lead(conversation: Conversation = TALK, email: str | None = "ada@example.com") -> Lead:
    return Lead(key=conversation.key, contact_key="k", email=email, conversation=conversation)


def rules(**given: object) -> DestinationSettings:
    return DestinationSettings(name="sales", connector="csv", **given)


def settings(*destinations: DestinationSettings) -> Settings:
    named = {str(index): found for index, found in enumerate(destinations)}
    return Settings(directory=Path(), iadvize=IAdvizeSettings(secrets=()), destinations=named)


@pytest.mark.parametrize(
    ("given", "conversation"),
    [
        ({}, TALK),
        ({"platforms": ("sd", "ha")}, replace(TALK, platform="HA")),
        ({"clients": (335,)}, TALK),
        ({"projects": (1, 1549)}, TALK),
        ({"channels": ("chat", "SMS")}, TALK),
        ({"operators": (8, 9)}, TALK),
        ({"without_operators": (9,)}, TALK),
        ({"answered": True}, TALK),
        ({"answered": False}, UNANSWERED),
        ({"email": "required"}, TALK),
        ({"live": True}, RUNNING),
    ],
)
def test_a_conversation_that_matches_every_rule_is_delivered(given, conversation):
    assert decide(rules(**given), lead(conversation)).verdict is Verdict.DELIVER


@pytest.mark.parametrize(
    ("given", "conversation", "reason"),
    [
        ({"enabled": False}, TALK, "the destination is disabled"),
        ({"platforms": ("sd",)}, TALK, "platform ha is not among sd"),
        ({"clients": (1, 2)}, TALK, "client 335 is not among 1, 2"),
        ({"projects": (1,)}, TALK, "project 1549 is not among 1"),
        ({"projects": (1,)}, replace(TALK, project_id=None), "project (none) is not among 1"),
        ({"channels": ("SMS",)}, TALK, "channel CHAT is not among SMS"),
        ({"channels": ("SMS",)}, replace(TALK, channel=None), "channel (none) is not among SMS"),
        ({"operators": (9,)}, TALK, "none of the operators 9 took part"),
        ({"without_operators": (8,)}, TALK, "operator 8 took part"),
        ({"answered": True}, UNANSWERED, "no operator answered the visitor"),
        ({"answered": False}, TALK, "the visitor was answered"),
        ({}, RUNNING, "the conversation is still running"),
    ],
)
def test_a_conversation_that_misses_a_rule_is_skipped_with_the_reason(given, conversation, reason):
    decision = decide(rules(**given), lead(conversation))
    assert decision.verdict is Verdict.SKIP
    assert decision.reason.startswith(reason)
    assert mismatch(rules(**given), conversation) == decision.reason


@pytest.mark.parametrize(
    ("given", "email", "verdict"),
    [
        ({}, None, Verdict.DELIVER),
        ({"without_email": "park"}, None, Verdict.PARK),
        ({"without_email": "park"}, "ada@example.com", Verdict.DELIVER),
        ({"email": "required"}, None, Verdict.SKIP),
        ({"email": "required", "without_email": "park"}, None, Verdict.SKIP),
        ({"email": "absent"}, None, Verdict.DELIVER),
        ({"email": "absent"}, "ada@example.com", Verdict.SKIP),
        ({"email": "absent", "without_email": "park"}, None, Verdict.PARK),
    ],
)
def test_a_lead_without_an_email_goes_where_the_destination_says(given, email, verdict):
    decision = decide(rules(**given), lead(email=email))
    assert decision.verdict is verdict
    assert "ada" not in decision.reason


def test_a_running_conversation_is_not_parked_for_an_email_it_may_still_get():
    decision = decide(rules(live=True, without_email="park"), lead(RUNNING, email=None))
    assert decision.verdict is Verdict.SKIP
    assert "no e-mail yet" in decision.reason


def test_a_project_is_wanted_if_an_enabled_destination_may_take_it():
    some = settings(rules(projects=(1549,), clients=(335,), platforms=("ha",)), rules(enabled=False))
    assert wanted(some, "HA", 335, 1549)
    assert not wanted(some, "ha", 335, 2)
    assert not wanted(some, "ha", 336, 1549)
    assert not wanted(some, "sd", 335, 1549)


def test_an_id_the_event_does_not_say_may_match():
    some = settings(rules(projects=(1549,), clients=(335,)))
    assert wanted(some, "ha", None, None)


def test_nothing_is_wanted_without_destinations():
    assert not wanted(settings(), "ha", 335, 1549)


def test_a_running_conversation_is_wanted_by_live_destinations_only():
    some = settings(rules(projects=(1,), live=True), rules(projects=(2,)))
    assert live_wanted(some, "ha", 335, 1)
    assert not live_wanted(some, "ha", 335, 2)


UNCERTAIN = replace(TALK, operators_known=False)


@pytest.mark.parametrize(
    ("given", "conversation", "verdict"),
    [
        ({"operators": (9,)}, UNCERTAIN, Verdict.PARK),
        ({"operators": (9,)}, TALK, Verdict.SKIP),
        ({"operators": (8, 9)}, UNCERTAIN, Verdict.DELIVER),
        ({"without_operators": (9,)}, UNCERTAIN, Verdict.PARK),
        ({"without_operators": (9,)}, TALK, Verdict.DELIVER),
        ({"without_operators": (8,)}, UNCERTAIN, Verdict.SKIP),
        ({"operators": (8,), "without_operators": (9,)}, UNCERTAIN, Verdict.PARK),
        ({}, UNCERTAIN, Verdict.DELIVER),
        ({"operators": (9,), "projects": (1,)}, UNCERTAIN, Verdict.SKIP),
        ({"operators": (9,), "live": True}, replace(UNCERTAIN, closed_at=None), Verdict.SKIP),
        ({"without_operators": (9,), "live": True}, replace(UNCERTAIN, closed_at=None), Verdict.DELIVER),
    ],
)
def test_a_rule_about_operators_that_are_not_known_is_left_to_somebody_who_knows(
    given, conversation, verdict
):
    found = decide(rules(**given), lead(conversation))
    assert found.verdict is verdict
    if verdict is Verdict.PARK:
        assert "not all that took part are known" in found.reason
