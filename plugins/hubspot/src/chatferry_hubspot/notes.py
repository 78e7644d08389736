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

from collections.abc import Mapping, Sequence

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
from chatferry_hubspot.batches import Batches, Input
from chatferry_hubspot.client import Client
from chatferry_hubspot.notebody import Note, note_of
from chatferry_hubspot.notebook import Notebook, Trace
from chatferry_hubspot.notesearch import LostNotes
from chatferry_hubspot.paths import Path
from chatferry_hubspot.reads import Reads
from chatferry_hubspot.replies import Result, Written, is_missing
from chatferry_hubspot.storage import CONTACTS, NOTES
from chatferry_hubspot.ties import Tie, Ties

TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}


def nothing_written(error: DeliveryError) -> bool:
    """Return whether an error proves that HubSpot has written nothing."""
    return isinstance(error, PermanentFailure | AuthFailure | QuotaExhausted | RateLimited)


class Notes:
    """Writes the conversations of a batch as notes; each exists once."""

    def __init__(self, client: Client, batches: Batches, reads: Reads, memory: Memory) -> None:
        self._client = client
        self._batches = batches
        self._reads = reads
        self._ties = Ties(client)
        self._lost = LostNotes(client, reads)
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
        doubtful = {key: trace for key, trace in known.items() if trace is not None and trace.note is None}
        found = self._look_for(doubtful, owners)
        results: dict[str, Result] = {k: one for k, one in found.items() if isinstance(one, DeliveryError)}
        known |= {key: one for key, one in found.items() if not isinstance(one, DeliveryError)}
        known = {key: trace for key, trace in known.items() if key not in results}
        results.update(self._settle(known, owners, notes, keyed=keyed))
        remarks = {key: note.notes for key, note in notes.items()}
        return [results[lead.key] for lead in leads], remarks

    def _look_for(
        self, doubtful: Mapping[str, Trace], owners: Mapping[str, str]
    ) -> Mapping[str, Trace | DeliveryError | None]:
        """Find the notes of earlier attempts whose answer was lost, and keep what was found."""
        try:
            found = self._lost.find(doubtful, owners) if doubtful else {}
        except DeliveryError as error:
            return dict.fromkeys(doubtful, error)
        for key, trace in found.items():
            if isinstance(trace, Trace):
                self._book.put(key, trace)
        return found

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
        return self._excused(results, owners)

    def _excused(self, results: Mapping[str, Result], owners: Mapping[str, str]) -> dict[str, Result]:
        """Let those wait whose contact was merged or removed since it was written: a note needs it."""
        refused = {key: owners[key] for key, result in results.items() if isinstance(result, Refused)}
        try:
            held = self._reads.read(CONTACTS, sorted(set(refused.values())), ())
        except DeliveryError as error:
            return {**results, **dict.fromkeys(refused, error)}
        gone = [key for key, contact in refused.items() if not isinstance(held[contact], Written)]
        wait = TemporaryFailure("the contact of the note was removed just now")
        return {**results, **dict.fromkeys(gone, wait)}

    def _tie(
        self,
        results: Mapping[str, Result],
        owners: Mapping[str, str],
        known: Mapping[str, Trace | None],
    ) -> dict[str, Result]:
        """Associate the notes with contacts they are not known to belong to."""
        ties: dict[str, Tie] = {}
        for key, result in results.items():
            trace = known.get(key)
            before = trace.contact if trace is not None and isinstance(result, Written) else ""
            if isinstance(result, Written) and before != owners[key]:
                ties[key] = Tie(record=result.id, contact=owners[key], before=before)
        failed = self._ties.make(NOTES, list(ties.values()))
        return {
            key: failed.get(ties[key], result) if key in ties else result for key, result in results.items()
        }
