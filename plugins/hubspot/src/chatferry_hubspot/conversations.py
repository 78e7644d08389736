"""Conversations as records of a custom object, found by their keys, and associated with their contacts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from chatferry import DeliveryError, Lead, TemporaryFailure
from chatferry.isolation import isolate
from chatferry.records import open_drafts, write_folded
from chatferry_hubspot.answers import Refused, as_temporary, complain, is_missing, results_in
from chatferry_hubspot.batches import BatchWriter
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.properties import CONVERSATION, properties_of
from chatferry_hubspot.reads import BatchReader
from chatferry_hubspot.rows import HubSpotDraft, LeadRow, open_rows
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACT_TYPE

MOST_PAIRS = 2_000
"""Associations HubSpot makes in one call."""
MOST_CALLS = 32
"""Calls spent on finding the association that gets a whole call refused."""
MOST_REMOVED = 100
"""Records whose associations HubSpot removes in one call."""

Pair: TypeAlias = tuple[str, str]
"""The ids of a conversation and of its contact."""


def conversation_draft(lead: Lead, options: Options) -> HubSpotDraft:
    """Return a lead's conversation as a record of the custom object."""
    properties = properties_of(lead, CONVERSATION, types=options.types)
    name = options.conversation_property
    return HubSpotDraft(key_field=name, key=lead.key, fields=properties.plus(name, lead.key))


class ConversationRecords:
    """Writes the conversations of a batch that are records of the custom object."""

    def __init__(self, writer: BatchWriter, reader: BatchReader) -> None:
        self._writer = writer
        self._reader = reader

    def write(self, rows: Sequence[LeadRow]) -> None:
        """Write each conversation once; all of them are records of the same object."""
        if rows:
            write_folded(
                [row.conversation for row in rows], partial(self._upsert, object_type=rows[0].object_type)
            )

    def _upsert(self, drafts: Sequence[HubSpotDraft], *, object_type: str) -> None:
        self._reader.look(object_type, drafts)
        self._writer.write(Path.UPSERT, object_type, open_drafts(drafts))


class Associations:
    """Associates conversations, or notes, with their contacts; that may be done twice."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client

    def make(self, rows: Sequence[LeadRow]) -> None:
        """Associate each conversation with its contact, and with no former one.

        The former ones go first: where a former contact was merged into the new one, the same two
        records are meant.
        """
        wanted = [row for row in rows if row.associated != row.contact.written.id]
        for object_type in sorted({row.object_type for row in wanted}):
            of_type = [row for row in wanted if row.object_type == object_type]
            self._remove(object_type, [row for row in of_type if row.associated])
            self._associate(object_type, open_rows(of_type))

    def _remove(self, object_type: str, rows: Sequence[LeadRow]) -> None:
        """Remove associations with former contacts."""

        def remove(part: Sequence[LeadRow]) -> Sequence[None]:
            inputs = [{"from": {"id": _record(row)}, "to": [{"id": row.associated}]} for row in part]
            self._client.call(Path.DISSOCIATE, {"inputs": inputs}, object=object_type, to=CONTACT_TYPE)
            return [None] * len(part)

        for row, error in zip(rows, isolate(rows, remove, size=MOST_REMOVED), strict=True):
            if error is not None and not is_missing(error):
                row.conversation.result = _not_yet(error)

    def _associate(self, object_type: str, rows: Sequence[LeadRow]) -> None:
        """Associate each pair once.

        A contact that was merged or archived since it was written is not there any more: the next
        attempt writes the contact again, so this is never permanent.
        """
        pairs = list(dict.fromkeys(map(_pair, rows)))

        def associate(part: Sequence[Pair]) -> Sequence[DeliveryError | None]:
            payload = {"inputs": [{"from": {"id": a}, "to": {"id": b}} for a, b in part]}
            body = self._client.call(Path.ASSOCIATE, payload, object=object_type, to=CONTACT_TYPE)
            return _failures(part, body)

        outcomes = isolate(pairs, associate, size=MOST_PAIRS, calls=MOST_CALLS)
        failed = dict(zip(pairs, outcomes, strict=True))
        for row in rows:
            error = failed[_pair(row)]
            if error is not None:
                row.conversation.result = _not_yet(error)


def _record(row: LeadRow) -> str:
    return row.conversation.written.id


def _pair(row: LeadRow) -> Pair:
    return _record(row), row.contact.written.id


def _not_yet(error: DeliveryError) -> DeliveryError:
    """Return an error of an association, which is never permanent."""
    return as_temporary(error, "the conversation cannot be associated with its contact yet")


def _failures(pairs: Sequence[Pair], body: Mapping[str, Any]) -> list[DeliveryError | None]:
    """Return, per pair, why an answer does not vouch for it.

    With errors, those fail that are not among the results; without, none, if there are results at all.
    """
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], Mapping) else {}
        return _but(_made(body), pairs, Refused(complain(first), subject="the association"))
    if not isinstance(body.get("results"), list):
        return _but((), pairs, TemporaryFailure("HubSpot's answer does not mention the associations"))
    return [None] * len(pairs)


def _but(
    made: Collection[frozenset[str]], pairs: Sequence[Pair], error: DeliveryError
) -> list[DeliveryError | None]:
    return [None if frozenset(pair) in made else error for pair in pairs]


def _made(body: Mapping[str, Any]) -> set[frozenset[str]]:
    """Return the ends of the associations in the results; HubSpot may give them in either direction."""
    return {frozenset((_end(item, "from"), _end(item, "to"))) for item in results_in(body)}


def _end(item: Mapping[str, Any], name: str) -> str:
    end = item.get(name)
    found = end.get("id") if isinstance(end, Mapping) else None
    return str(found) if isinstance(found, str | int) else ""
