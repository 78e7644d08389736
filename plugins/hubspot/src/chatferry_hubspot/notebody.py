"""A conversation as the text of a note: its fields, its transcript, and a line it is known by."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from chatferry import Conversation, Lead, cut
from chatferry_hubspot.fields import CONVERSATION, label
from chatferry_hubspot.records import TEXT_LIMIT, as_text, cut_note, measure, properties_of

BODY, TIMESTAMP = "hs_note_body", "hs_timestamp"
_OWN = re.compile(r"^(hs_|hubspot_)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The properties of a note, and what was changed on the way."""

    properties: Mapping[str, str] = field(repr=False)
    notes: tuple[str, ...] = ()

    def with_property(self, name: str, value: str) -> Note:
        """Return the note with one more property."""
        return Note(properties={**self.properties, name: value}, notes=self.notes)


def marker(key: str) -> str:
    """Return the line that names the conversation, by which a note of ours is recognised."""
    return f"iAdvize conversation {key}"


def is_marked(body: str, key: str) -> bool:
    """Return whether a note's body holds the conversation's line, however HubSpot dressed it."""
    return re.search(re.escape(marker(key)) + r"(?![\w-])", html.unescape(body)) is not None


def to_html(text: str) -> str:
    """Return a text as a note shows it: nothing in it is markup."""
    return html.escape(text).replace("\r\n", "\n").replace("\n", "<br>")


def html_size(text: str) -> int:
    """Return how much of a note's limit a text takes up."""
    return measure(to_html(text))


def note_of(lead: Lead) -> Note:
    """Return the lead's conversation as a note.

    Properties of HubSpot's own (``hs_…``, ``hubspot_…``) are set as they are; every other mapped
    field becomes a line of the note, long ones a paragraph.
    """
    fields = properties_of(lead, CONVERSATION, limit=None).against(None)
    own = {name: value for name, value in fields.items() if _OWN.match(name) and name != BODY and value}
    own.setdefault(TIMESTAMP, _moment(lead.conversation))
    shown = {name: value for name, value in fields.items() if (name == BODY or name not in own) and value}
    last = f"<p>{to_html(marker(lead.key))}</p>"
    headings = [_heading(name) for name in shown]
    room = TEXT_LIMIT - measure(last) - sum(measure(heading) + len("<p></p>") for heading in headings)
    texts, notes = _fit(list(shown.items()), room)
    paragraphs = [f"<p>{heading}{to_html(text)}</p>" for heading, text in zip(headings, texts, strict=True)]
    return Note(properties={**own, BODY: "".join([*paragraphs, last])}, notes=tuple(notes))


def _heading(name: str) -> str:
    if name == BODY:
        return ""
    return f"<b>{to_html(label(name))}</b>: "


def _moment(conversation: Conversation) -> str:
    """Return when the conversation ended, or began, or was last heard of: the same at every attempt."""
    spoken = conversation.messages[-1].at if conversation.messages else None
    moment = conversation.closed_at or conversation.created_at or spoken
    return as_text(moment or datetime.now(UTC))


def _fit(fields: Sequence[tuple[str, str]], room: int) -> tuple[list[str], list[str]]:
    """Share the room: short texts stay whole, the long ones get equal parts of what is left."""
    order = sorted(range(len(fields)), key=lambda index: html_size(fields[index][1]))
    fitted = [text for _, text in fields]
    notes: list[str] = []
    for rank, index in enumerate(order):
        name, text = fields[index]
        shorter = cut(text, room // (len(order) - rank), html_size)
        if shorter is not None:
            fitted[index] = shorter.text
            notes.append(cut_note(name, shorter))
        room -= html_size(fitted[index])
    return fitted, notes
