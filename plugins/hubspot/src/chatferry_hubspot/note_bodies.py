"""A conversation as the body of a note, and finding a note again by the line that its body ends with."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from chatferry import Conversation, DeliveryError, Lead, TemporaryFailure, cut
from chatferry.records import Fields, Written
from chatferry_hubspot.answers import Refused, complaints_in, results_in
from chatferry_hubspot.batches import LARGEST
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.properties import (
    CONVERSATION,
    TEXT_LIMIT,
    as_text,
    cut_note,
    label,
    measure,
    properties_of,
)
from chatferry_hubspot.reads import BatchReader, Found, absence, read_failure
from chatferry_hubspot.storage import CONTACTS, NOTES

BODY, TIMESTAMP = "hs_note_body", "hs_timestamp"
MOST_PAGES = 20
_OWN = re.compile(r"^(hs_|hubspot_)")

FoundNote: TypeAlias = str | DeliveryError | None
"""A note's id, the reason why it is unknown, or None: there is certainly no such note."""


def note_of(lead: Lead) -> Fields:
    """Return the lead's conversation as a note.

    Fields of HubSpot's own (``hs_…``, ``hubspot_…``) are set as they are; every other mapped
    field becomes a line of the note, long ones a paragraph.
    """
    fields = properties_of(lead, CONVERSATION, limit=None).against(None)
    own = {name: value for name, value in fields.items() if _OWN.match(name) and name != BODY and value}
    own.setdefault(TIMESTAMP, _moment(lead.conversation))
    shown = {name: value for name, value in fields.items() if name not in own and value}
    last = f"<p>{to_html(marker(lead.key))}</p>"
    room = TEXT_LIMIT - measure(last) - sum(measure(_paragraph(name, "")) for name in shown)
    fitted, notes = _fit(shown, room)
    body = "".join(_paragraph(name, text) for name, text in fitted.items())
    return Fields(values={**own, BODY: body + last}, notes=notes)


def _moment(conversation: Conversation) -> str:
    """Return when the conversation ended, or began, or its last message was sent: fixed for all attempts."""
    last = conversation.messages[-1].at if conversation.messages else None
    return as_text(conversation.closed_at or conversation.created_at or last or datetime.now(UTC))


def _paragraph(name: str, text: str) -> str:
    heading = "" if name == BODY else f"<b>{to_html(label(name))}</b>: "
    return f"<p>{heading}{to_html(text)}</p>"


def _fit(fields: Mapping[str, str], room: int) -> tuple[dict[str, str], tuple[str, ...]]:
    """Share the room: short texts stay whole, the long ones get equal parts of what is left."""
    fitted, notes = dict(fields), []
    shortest_first = sorted(fields, key=lambda name: html_size(fields[name]))
    for rank, name in enumerate(shortest_first):
        shorter = cut(fields[name], room // (len(fields) - rank), html_size)
        if shorter is not None:
            fitted[name] = shorter.text
            notes.append(cut_note(name, shorter))
        room -= html_size(fitted[name])
    return fitted, tuple(notes)


def to_html(text: str) -> str:
    """Return a text as a note shows it: nothing in it is markup."""
    return html.escape(text).replace("\r\n", "\n").replace("\n", "<br>")


def html_size(text: str) -> int:
    """Return how much of a note's limit a text takes up."""
    return measure(to_html(text))


def marker(key: str) -> str:
    """Return the line that names the conversation, by which a note of ours is recognised."""
    return f"iAdvize conversation {key}"


def is_marked(body: str, key: str) -> bool:
    """Return whether a note's body holds the conversation's line, however HubSpot dressed it."""
    return re.search(re.escape(marker(key)) + r"(?![\w-])", html.unescape(body)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _AssociatedNotes:
    """Some notes of a contact; ``after`` leads to more of them."""

    notes: frozenset[str] = frozenset()
    after: str = ""


class NoteFinder:
    """Looks among the notes of contacts for those of conversations."""

    def __init__(self, client: HubSpotClient, reader: BatchReader) -> None:
        self._client = client
        self._reader = reader

    def find(self, contacts: Mapping[str, Collection[str]]) -> dict[str, FoundNote]:
        """Return the note of each conversation.

        :param contacts: per key of a conversation, the contacts that its note may be associated with.
        :raises DeliveryError: if nothing is known of any of them.
        """
        of_contact = self._notes_of(sorted(frozenset().union(*contacts.values())))
        bodies = self._reader.read(NOTES, sorted(frozenset().union(*of_contact.values())), [BODY])
        found: dict[str, FoundNote] = {}
        for key, theirs in contacts.items():
            candidates = frozenset().union(*(of_contact[contact] for contact in theirs))
            found[key] = _marked({name: bodies[name] for name in sorted(candidates)}, key)
        return found

    def _notes_of(self, contacts: Sequence[str]) -> dict[str, set[str]]:
        """Return the ids of the notes of each contact, page by page."""
        found: dict[str, set[str]] = {contact: set() for contact in contacts}
        for start in range(0, len(contacts), LARGEST):
            waiting = dict.fromkeys(contacts[start : start + LARGEST], "")
            for _ in range(MOST_PAGES):
                pages = self._pages(waiting)
                for contact, page in pages.items():
                    found[contact] |= page.notes
                waiting = {contact: page.after for contact, page in pages.items() if page.after}
                if not waiting:
                    break
            else:
                raise TemporaryFailure("a contact has too many notes to look for one among them")
        return found

    def _pages(self, waiting: Mapping[str, str]) -> dict[str, _AssociatedNotes]:
        """Ask for one page of each contact; of a contact without notes HubSpot says that it has none."""
        inputs = [{"id": name, **({"after": after} if after else {})} for name, after in waiting.items()]
        try:
            body = self._client.call(Path.ASSOCIATED, {"inputs": inputs}, object=CONTACTS, to=NOTES)
        except Refused as error:
            raise read_failure(error) from None
        pages = dict(_read_pages(body))
        for contact in waiting.keys() - pages.keys():
            unknown = absence(contact, list(waiting), complaints_in(body))
            if unknown is not None:
                raise unknown
        return {contact: pages.get(contact, _AssociatedNotes()) for contact in waiting}


def _marked(candidates: Mapping[str, Found], key: str) -> FoundNote:
    """Return the id of the note that is marked with the key; one that cannot be read might be it."""
    for name, note in candidates.items():
        if isinstance(note, Written) and is_marked(note.values.get(BODY, ""), key):
            return name
    return next((note for note in candidates.values() if isinstance(note, DeliveryError)), None)


def _read_pages(body: Mapping[str, Any]) -> Iterator[tuple[str, _AssociatedNotes]]:
    """Yield, per record of an association answer, its id and what it is associated with."""
    for item in results_in(body):
        origin, ends = item.get("from"), item.get("to")
        if isinstance(origin, Mapping) and origin.get("id"):
            listed = [end for end in ends if isinstance(end, Mapping)] if isinstance(ends, list) else []
            notes = frozenset(str(end.get("toObjectId") or end.get("id")) for end in listed)
            yield str(origin["id"]), _AssociatedNotes(notes=notes, after=_after(item))


def _after(item: Mapping[str, Any]) -> str:
    """Return where the next page begins, or nothing if there is none."""
    paging = item.get("paging")
    following = paging.get("next") if isinstance(paging, Mapping) else None
    return str(following.get("after") or "") if isinstance(following, Mapping) else ""
