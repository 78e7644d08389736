"""Conversations as notes of their contact, for accounts without custom objects.

Notes come in two ways. Where the account has the unique property that ``provision`` makes, they are
upserted by the conversation's key like any record. Elsewhere HubSpot offers no key, so:

* a note's id is kept, in the receipt and in the destination's memory, and the note is updated by it;
* before a note is first created, the intention is put into the memory, with the contact's id. If the
  answer to that call never came, the next attempt looks for the note among those of the contact, by
  the line every note of ours ends with, and creates it only if it is not there.

What is left is one gap: a call that HubSpot carries out after it was looked for. See the docs page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatferry import (
    AuthFailure,
    DeliveryError,
    Lead,
    Memory,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    TemporaryFailure,
)
from chatferry_hubspot.answers import Refused
from chatferry_hubspot.batches import GONE, LARGEST, Batches, Input, Result, Written, is_missing
from chatferry_hubspot.client import Client
from chatferry_hubspot.conversations import associate
from chatferry_hubspot.fields import CONTACT, NOTE
from chatferry_hubspot.notebody import BODY, Note, is_marked, note_of
from chatferry_hubspot.paths import Path
from chatferry_hubspot.storage import CONTACTS, NOTES

TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}
MOST_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the memory holds of a note: the contact it was made for, and its id once it is known."""

    contact: str
    note: str | None = None


class Notebook:
    """What the memory holds of the notes of a destination."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def get(self, lead: Lead) -> Trace | None:
        """Return what is known of the lead's note, from its receipt or from the memory."""
        if lead.receipt is not None and NOTE in lead.receipt.ids:
            return Trace(contact=lead.receipt.ids.get(CONTACT, ""), note=lead.receipt.ids[NOTE])
        kept = self._memory.get(f"note:{lead.key}")
        try:
            entry = json.loads(kept) if kept else None
            return Trace(contact=entry["contact"], note=entry["note"]) if entry else None
        except (ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, trace: Trace) -> None:
        """Keep what is known; durable when this returns."""
        self._memory.put(f"note:{key}", json.dumps({"contact": trace.contact, "note": trace.note}))

    def forget(self, key: str) -> None:
        """Drop an intention that certainly came to nothing."""
        self._memory.forget(f"note:{key}")


def nothing_written(error: DeliveryError) -> bool:
    """Return whether an error proves that HubSpot has written nothing."""
    return isinstance(error, PermanentFailure | AuthFailure | QuotaExhausted | RateLimited)


class Notes:
    """Writes the conversations of a batch as notes; each exists once."""

    def __init__(self, client: Client, batches: Batches, memory: Memory) -> None:
        self._client = client
        self._batches = batches
        self._book = Notebook(memory)

    def write(
        self, leads: Sequence[Lead], contacts: Sequence[str], *, keyed: bool
    ) -> tuple[list[Result], dict[str, tuple[str, ...]]]:
        """Write a note a conversation; return a result per lead and, per key, remarks."""
        last = {lead.key: index for index, lead in enumerate(leads)}
        chosen = {key: leads[index] for key, index in last.items()}
        owners = {key: contacts[index] for key, index in last.items()}
        notes = {key: note_of(lead) for key, lead in chosen.items()}
        known = {key: self._book.get(lead) for key, lead in chosen.items()}
        results: dict[str, Result] = {}
        doubtful = {key: trace for key, trace in known.items() if trace is not None and trace.note is None}
        if doubtful:
            try:
                known.update(self._look_for(doubtful, owners))
            except DeliveryError as error:
                results.update(dict.fromkeys(doubtful, error))
                known = {key: trace for key, trace in known.items() if key not in doubtful}
        results.update(self._settle(known, owners, notes, keyed=keyed))
        remarks = {key: note.notes for key, note in notes.items()}
        return [results[lead.key] for lead in leads], remarks

    def _settle(
        self,
        known: Mapping[str, Trace | None],
        owners: Mapping[str, str],
        notes: Mapping[str, Note],
        *,
        keyed: bool,
    ) -> dict[str, Result]:
        """Update the notes whose ids are known, create the others."""
        if keyed:
            name = self._client.options.note_property
            notes = {key: note.with_property(name, key) for key, note in notes.items()}
        ids = {key: trace.note for key, trace in known.items() if trace is not None and trace.note}
        inputs = [Input(id=name, properties=notes[key].properties) for key, name in ids.items()]
        updated = zip(ids, self._batches.write(Path.UPDATE, NOTES, inputs), strict=True)
        results: dict[str, Result] = {
            key: Written(id=result.id) if isinstance(result, Written) else result for key, result in updated
        }
        results = self._tie(results, owners, known)
        absent = [key for key in known if key not in ids or is_missing(results[key])]
        create = self._upsert if keyed else self._create
        results.update(create(absent, owners, notes))
        return results

    def _upsert(
        self, keys: Sequence[str], owners: Mapping[str, str], notes: Mapping[str, Note]
    ) -> dict[str, Result]:
        name = self._client.options.note_property
        inputs = [Input(id=key, properties=notes[key].properties) for key in keys]
        results = dict(zip(keys, self._batches.write(Path.UPSERT, NOTES, inputs, name), strict=True))
        return self._tie(results, owners, {})

    def _create(
        self, keys: Sequence[str], owners: Mapping[str, str], notes: Mapping[str, Note]
    ) -> dict[str, Result]:
        for key in keys:
            self._book.put(key, Trace(contact=owners[key]))
        inputs = [
            Input(
                properties=notes[key].properties,
                associations=({"to": {"id": owners[key]}, "types": [TO_CONTACT]},),
            )
            for key in keys
        ]
        results = dict(zip(keys, self._batches.write(Path.CREATE, NOTES, inputs), strict=True))
        for key, result in results.items():
            if isinstance(result, Written):
                self._book.put(key, Trace(contact=owners[key], note=result.id))
                results[key] = Written(id=result.id, created=True)
            elif nothing_written(result):
                self._book.forget(key)
        return results

    def _tie(
        self,
        results: Mapping[str, Result],
        owners: Mapping[str, str],
        known: Mapping[str, Trace | None],
    ) -> dict[str, Result]:
        """Associate the notes with contacts they are not known to belong to."""
        pairs = {
            key: (result.id, owners[key])
            for key, result in results.items()
            if isinstance(result, Written) and Trace(contact=owners[key], note=result.id) != known.get(key)
        }
        failed = associate(self._client, NOTES, list(pairs.values()))
        return {
            key: failed.get(pairs[key], result) if key in pairs else result for key, result in results.items()
        }

    def _look_for(self, doubtful: Mapping[str, Trace], owners: Mapping[str, str]) -> dict[str, Trace | None]:
        """Find the notes of earlier attempts whose answer was lost, among those of their contacts."""
        contacts = {key: {trace.contact, owners[key]} - {""} for key, trace in doubtful.items()}
        of_contact = self._notes_of(sorted(frozenset().union(*contacts.values())))
        every = sorted({note for notes in of_contact.values() for note in notes})
        bodies = {name: note.properties.get(BODY, "") for name, note in self._read(every).items()}
        found: dict[str, Trace | None] = {}
        for key, theirs in contacts.items():
            candidates = {note for contact in theirs for note in of_contact.get(contact, ())}
            ours = sorted(note for note in candidates if is_marked(bodies.get(note, ""), key))
            found[key] = Trace(contact=doubtful[key].contact, note=ours[0]) if ours else None
            if ours:
                self._book.put(key, Trace(contact=doubtful[key].contact, note=ours[0]))
        return found

    def _read(self, ids: Sequence[str]) -> dict[str, Written]:
        return self._batches.read(NOTES, ids, [BODY]) if ids else {}

    def _notes_of(self, contacts: Sequence[str]) -> dict[str, set[str]]:
        """Return the ids of the notes of each contact, page by page."""
        found: dict[str, set[str]] = {}
        for start in range(0, len(contacts), LARGEST):
            waiting: list[dict[str, str]] = [{"id": name} for name in contacts[start : start + LARGEST]]
            for _ in range(MOST_PAGES):
                answered = self._associated(waiting)
                waiting = []
                for contact, notes, after in _associated(answered):
                    found.setdefault(contact, set()).update(notes)
                    if after:
                        waiting.append({"id": contact, "after": after})
                if not waiting:
                    break
            else:
                raise TemporaryFailure("a contact has too many notes to look for one among them")
        return found

    def _associated(self, inputs: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, Any]]:
        try:
            return self._client.ask(Path.ASSOCIATED, {"inputs": inputs}, object=CONTACTS, to=NOTES)
        except Refused as error:
            if error.status == GONE:
                return []
            raise TemporaryFailure(f"the contact's notes cannot be read: {error}") from None


def _associated(answered: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, set[str], str]]:
    """Return, per record of an association answer: its id, what it is tied to, and the next page."""
    for item in answered:
        origin = item.get("from")
        if not isinstance(origin, Mapping) or not origin.get("id"):
            continue
        ends = item.get("to")
        notes = {
            str(end.get("toObjectId") or end.get("id"))
            for end in (ends if isinstance(ends, list) else ())
            if isinstance(end, Mapping)
        }
        paging = item.get("paging")
        following = paging.get("next") if isinstance(paging, Mapping) else None
        after = following.get("after") if isinstance(following, Mapping) else None
        yield str(origin["id"]), notes, str(after or "")
