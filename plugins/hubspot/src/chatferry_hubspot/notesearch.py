"""Finding the note of an attempt whose answer was lost, among those of its contact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatferry import DeliveryError, TemporaryFailure
from chatferry_hubspot.answers import Refused
from chatferry_hubspot.batches import LARGEST
from chatferry_hubspot.client import Client
from chatferry_hubspot.notebody import BODY, is_marked
from chatferry_hubspot.notebook import Trace
from chatferry_hubspot.paths import Path
from chatferry_hubspot.reads import Found, Reads, silence, unknown
from chatferry_hubspot.replies import Written, complaints, records
from chatferry_hubspot.storage import CONTACTS, NOTES

MOST_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """Some notes of a contact; ``after`` leads to more of them."""

    notes: frozenset[str]
    after: str


class LostNotes:
    """Looks for notes by the line every note of ours ends with."""

    def __init__(self, client: Client, reads: Reads) -> None:
        self._client = client
        self._reads = reads

    def find(
        self, doubtful: Mapping[str, Trace], owners: Mapping[str, str]
    ) -> dict[str, Trace | DeliveryError | None]:
        """Return, per conversation, its note, None if there certainly is none, or why that is unknown.

        :raises DeliveryError: if nothing is known of any of them.
        """
        contacts = {key: {trace.contact, owners[key]} - {""} for key, trace in doubtful.items()}
        of_contact = self._notes_of(sorted(frozenset().union(*contacts.values())))
        bodies = self._reads.read(NOTES, sorted(frozenset().union(*of_contact.values())), [BODY])
        found: dict[str, Trace | DeliveryError | None] = {}
        for key, theirs in contacts.items():
            candidates = sorted(frozenset().union(*(of_contact[contact] for contact in theirs)))
            note = _ours(key, {name: bodies[name] for name in candidates})
            found[key] = Trace(contact=doubtful[key].contact, note=note) if isinstance(note, str) else note
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

    def _pages(self, waiting: Mapping[str, str]) -> dict[str, _Page]:
        """Ask for one page of each contact; whoever has no notes is said to have none."""
        inputs = [{"id": name, **({"after": after} if after else {})} for name, after in waiting.items()]
        try:
            body = self._client.call(Path.ASSOCIATED, {"inputs": inputs}, object=CONTACTS, to=NOTES)
        except Refused as error:
            raise unknown(error) from None
        pages = dict(_read_pages(body))
        told = list(complaints(body))
        for contact in waiting.keys() - pages.keys():
            unsaid = silence(contact, list(waiting), told)
            if unsaid is not None:
                raise unsaid
        return {contact: pages.get(contact, _Page(notes=frozenset(), after="")) for contact in waiting}


def _ours(key: str, candidates: Mapping[str, Found]) -> str | DeliveryError | None:
    """Return the id of the note that is marked with the key; one that cannot be read might be it."""
    for name, note in candidates.items():
        if isinstance(note, Written) and is_marked(note.properties.get(BODY, ""), key):
            return name
    return next((note for note in candidates.values() if isinstance(note, DeliveryError)), None)


def _read_pages(body: Mapping[str, Any]) -> Iterator[tuple[str, _Page]]:
    """Return, per record of an association answer, its id and what it is tied to."""
    for item in records(body):
        origin = item.get("from")
        if not isinstance(origin, Mapping) or not origin.get("id"):
            continue
        ends = item.get("to")
        notes = frozenset(
            str(end.get("toObjectId") or end.get("id"))
            for end in (ends if isinstance(ends, list) else ())
            if isinstance(end, Mapping)
        )
        paging = item.get("paging")
        following = paging.get("next") if isinstance(paging, Mapping) else None
        after = following.get("after") if isinstance(following, Mapping) else None
        yield str(origin["id"]), _Page(notes=notes, after=str(after or ""))
