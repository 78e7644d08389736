"""GraphQL objects of a conversation as it is at a moment in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatferry.emulators.iadvize import dates
from chatferry.emulators.iadvize.people import Client, Operator, Project, user_node, visitor_node
from chatferry.emulators.iadvize.script import Click, Line, Script

PROFILE = (
    "externalUserId",
    "firstName",
    "lastName",
    "address",
    "city",
    "zipCode",
    "country",
    "phoneNumber",
    "email",
    "username",
)
"""The personal fields of a visitor."""
_ERASED = (*PROFILE, "externalId", "avatarUrl", "legacyVisitorId")
_ENTRY_KINDS: Mapping[type, tuple[str, str]] = {
    str: ("String", "stringValue"),
    int: ("Int", "intValue"),
    float: ("Float", "floatValue"),
    bool: ("Boolean", "booleanValue"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """A script with its dates: it began at ``begun`` and its clock runs ``pace`` times as fast."""

    script: Script
    client: Client
    project: Project
    begun: float
    pace: float = 1.0
    late: float = 0.0
    """Seconds from the close to survey answers and purchases; 0 keeps the delays of the script."""
    erased: bool = False
    anonymised: bool = False

    def at(self, offset: float) -> float:
        """Return when something of the script happens."""
        return self.begun + offset / self.pace

    @property
    def closed(self) -> float:
        """When the conversation closes."""
        return self.at(self.script.duration)

    def late_at(self, click: Click) -> float:
        """Return when a survey answer or a purchase is known."""
        return self.closed + (self.late or click.after / self.pace)

    @property
    def ended(self) -> float:
        """When the last survey answer or purchase is known: nothing changes any more."""
        clicks = (*self.script.survey, *self.script.purchases)
        return max(self.closed, *map(self.late_at, clicks)) if clicks else self.closed


def conversation_node(performance: Performance, now: float) -> dict[str, Any]:
    """Return the GraphQL ``Conversation`` as it is now; ``lines`` holds the message nodes."""
    script, style = performance.script, performance.script.date_style
    closed = performance.closed if performance.closed <= now else None
    names = {operator.id: operator for operator in performance.client.operators}
    visitor = visitor_of(performance)
    custom = [] if performance.anonymised else custom_data_entries(script.custom_data)
    return {
        "__typename": "Conversation",
        "id": script.id,
        "legacyId": 20_000_000 + script.number,
        "createdAt": dates.write(performance.begun),
        "closedAt": None if closed is None else dates.write(closed),
        "channel": script.person.channel,
        "duration": None if closed is None else dates.write_duration(closed - performance.begun),
        "satisfactionSurvey": survey_of(performance, now),
        "routingEvents": [],
        "customData": custom,
        "users": None,
        "participants": [
            user_node(names[operator])
            for operator in dict.fromkeys(o for at, o in script.pushes if performance.at(at) <= now)
        ],
        "tags": [{"id": f"7a900000-0000-4000-8000-{_number(tag):012d}", "name": tag} for tag in script.tags],
        "project": {"id": performance.project.id, "name": performance.project.name},
        "language": script.language,
        "conversions": {"transactions": transactions_of(performance, now)},
        "visitor": visitor,
        "conversationVisitors": [{"visitor": visitor}],
        "closingFormValues": [
            {"id": key, "label": key.replace("_", " "), "value": value}
            for key, value in script.closing_form.items()
        ],
        "lines": [] if performance.anonymised else lines_of(performance, visitor, style, now),
    }


def _number(text: str) -> int:
    """Return a small number that is the same in every process."""
    return sum(place * ord(letter) for place, letter in enumerate(text, start=1))


def visitor_of(performance: Performance) -> dict[str, Any]:
    """Return the GraphQL ``Visitor``; an erased one has no personal field left."""
    node = visitor_node(
        performance.script.person,
        performance.project,
        dates.write(performance.begun - 1),
        dates.write(performance.begun),
    )
    return node | dict.fromkeys(_ERASED) if performance.erased else node


def lines_of(
    performance: Performance, visitor: Mapping[str, Any], style: str, now: float
) -> list[dict[str, Any]]:
    """Return the message nodes that are there now."""
    authors: dict[str, Mapping[str, Any]] = {
        "visitor": visitor,
        "brand": {"__typename": "ThirdPartyAccount", "_unusedField": None},
    }
    return [
        _line_node(line, authors, dates.write(performance.at(line.at), style))
        for line in performance.script.lines
        if performance.at(line.at) <= now
    ]


def _line_node(line: Line, authors: dict[str, Mapping[str, Any]], at: str) -> dict[str, Any]:
    if line.speaker == "system":
        return {
            "__typename": "SystemMessage",
            "systemMessageId": line.id,
            "createdAt": at,
            "attachments": list(line.attachments),
        }
    speaker = line.speaker
    author = user_node(speaker) if isinstance(speaker, Operator) else dict(authors[speaker])
    return {
        "__typename": "ParticipantConversationMessage",
        "messageId": line.id,
        "text": line.text,
        "createdAt": at,
        "author": author,
        "sentAs": author,
        "attachments": list(line.attachments),
    }


def custom_data_entries(data: Mapping[str, str | int | float | bool]) -> list[dict[str, Any]]:
    """Return the entries of a conversation's custom data."""
    entries = []
    for key, value in data.items():
        kind, name = _ENTRY_KINDS[type(value)]
        entries.append(
            {"__typename": f"VisitorConversationCustomDataEntry{kind}", "key": key, "label": key, name: value}
        )
    return entries


def satisfaction(clicks: Sequence[Click]) -> dict[str, Any]:
    """Return what the survey holds after these clicks: the last of each kind."""
    facts: dict[str, Any] = {}
    for click in clicks:
        facts |= click.facts
    facts.pop("customQuestion", None)
    return facts


def survey_of(performance: Performance, now: float) -> dict[str, Any] | None:
    """Return the GraphQL ``SatisfactionSurvey`` as it is now."""
    script = performance.script
    return satisfaction([click for click in script.survey if performance.late_at(click) <= now]) or None


def transactions_of(performance: Performance, now: float) -> list[dict[str, Any]]:
    """Return the GraphQL ``Transaction``s that are attributed by now."""
    nodes = []
    for click in performance.script.purchases:
        instant = performance.late_at(click)
        if instant <= now:
            at = dates.write(instant)
            moments = ("visitorDate", "receivedAt", "eventDate", "createdAt", "updatedAt")
            nodes.append(
                {
                    "id": click.facts["id"],
                    "platformId": performance.client.platform.upper(),
                    "externalConversionId": click.facts["externalId"],
                    "sourceVisitorId": performance.script.person.vuid,
                    "source": "ONSITE" if performance.script.person.onsite else "OFFSITE",
                    "amount": click.facts["amount"],
                    "currency": click.facts["currency"],
                    "conversationId": performance.script.id,
                    "isAuthenticated": False,
                    "project": {"id": performance.project.id, "name": performance.project.name},
                    **dict.fromkeys(moments, at),
                }
            )
    return nodes
