"""The ground truth: what must be found in a conversation, known from how it was generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chatferry.emulators.iadvize import dates
from chatferry.emulators.iadvize.render import PROFILE, Performance, satisfaction, visitor_of
from chatferry.emulators.iadvize.script import TrueAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What must be found in a conversation once it is closed and its survey and purchases are known."""

    conversation_id: str
    platform: str
    client_id: int
    project_id: int
    project_name: str
    channel: str
    language: str
    kind: str
    """The plot of the generator."""
    visitor_id: str
    answers: Mapping[str, TrueAnswer]
    unanswered: tuple[str, ...]
    files_only: tuple[str, ...]
    """Those of the unanswered that were replied to by a file: whether that is an answer is left open."""
    email: str | None = field(repr=False)
    email_from: str | None
    """``profile``, ``message`` or None."""
    email_message_id: str | None
    phone: str | None = field(repr=False)
    phone_from: str | None
    visitor: Mapping[str, str | None] = field(repr=False)
    answered: bool
    """Whether an operator, a bot or the brand wrote a message."""
    messages: int
    """Messages of participants."""
    system_messages: int
    operator_ids: tuple[int, ...]
    created_at: datetime
    closed_at: datetime
    erased: bool
    anonymised: bool
    custom_data: Mapping[str, str | int | float | bool] = field(repr=False)
    tags: tuple[str, ...]
    closing_form: Mapping[str, str] = field(repr=False)
    satisfaction: Mapping[str, Any] = field(repr=False)
    transactions: tuple[Mapping[str, Any], ...] = field(repr=False)


def truth_of(performance: Performance) -> Truth:
    """Return the ground truth of a performance, from its script."""
    script, silent = performance.script, performance.anonymised
    answers = {} if silent else script.answers
    profile = visitor_of(performance)
    email, email_from = _contact(
        profile["email"], script.email_message_id, script.person.typed_email, silent=silent
    )
    phone, phone_from = _contact(
        profile["phoneNumber"], script.phone_message_id, script.person.typed_phone, silent=silent
    )
    system = sum(line.speaker == "system" for line in script.lines)
    return Truth(
        conversation_id=script.id,
        platform=performance.client.platform,
        client_id=performance.client.client_id,
        project_id=performance.project.id,
        project_name=performance.project.name,
        channel=script.person.channel,
        language=script.language,
        kind=script.kind,
        visitor_id=script.person.id,
        answers=answers,
        unanswered=() if silent else tuple(name for name in script.asked if name not in answers),
        files_only=() if silent else script.files_only,
        email=email,
        email_from=email_from,
        email_message_id=script.email_message_id if email_from == "message" else None,
        phone=phone,
        phone_from=phone_from,
        visitor={name: profile[name] for name in PROFILE},
        answered=not silent and any(line.speaker not in {"visitor", "system"} for line in script.lines),
        messages=0 if silent else len(script.lines) - system,
        system_messages=0 if silent else system,
        operator_ids=script.operator_ids,
        created_at=dates.as_datetime(performance.begun),
        closed_at=dates.as_datetime(performance.closed),
        erased=performance.erased,
        anonymised=silent,
        custom_data={} if silent else script.custom_data,
        tags=script.tags,
        closing_form=script.closing_form,
        satisfaction=satisfaction(script.survey),
        transactions=tuple(click.facts for click in script.purchases),
    )


def _contact(
    in_profile: str | None, message_id: str | None, in_message: str | None, *, silent: bool
) -> tuple[str | None, str | None]:
    if in_profile:
        return in_profile, "profile"
    if message_id and not silent:
        return in_message, "message"
    return None, None
