"""Reading records in batches: what the account holds of each, or that nothing is known of it.

A record that is taken for absent is created or filled. So a record is absent only if HubSpot says
so: an answer that leaves it out, or reports a failure instead, leaves it unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from chatferry import DeliveryError, TemporaryFailure
from chatferry.isolation import isolate
from chatferry.records import Written, is_account_wide, settle
from chatferry_hubspot.answers import (
    NOT_FOUND,
    HubSpotComplaint,
    Refused,
    as_temporary,
    complaints_in,
    error_of,
    results_in,
    written_of,
)
from chatferry_hubspot.batches import EMAIL, LARGEST, most_calls
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.rows import HubSpotDraft

MORE_EMAILS = "hs_additional_emails"

Found: TypeAlias = Written | DeliveryError | None
"""A record, the reason why nothing is known of it, or None: there is no such record."""


class BatchReader:
    """Reads records a hundred at a time."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client

    def look(self, kind: str, drafts: Sequence[HubSpotDraft]) -> None:
        """Read what the account holds of the drafts whose fields depend on it: one call a hundred.

        All of them are found by the same property.
        """
        asked = [draft for draft in drafts if draft.fields.conditional]
        if not asked:
            return
        names = sorted(frozenset().union(*(draft.fields.conditional for draft in asked)))
        try:
            found = self.read(kind, [draft.key for draft in asked], names, asked[0].key_field)
        except DeliveryError as error:
            settle(drafts, error)
            return
        for draft in asked:
            held = found[draft.key]
            if isinstance(held, DeliveryError):
                draft.result = held
            else:
                draft.held = held

    def read(
        self, kind: str, ids: Iterable[str], properties: Iterable[str], id_property: str | None = None
    ) -> dict[str, Found]:
        """Return what HubSpot says of each record, by the name it was asked for.

        :raises DeliveryError: if the reason is about the account, and so about everything.
        """
        question = _Question(kind=kind, properties=tuple(properties), id_property=id_property)
        names = list(dict.fromkeys(ids))

        def ask(part: Sequence[str]) -> Sequence[Found]:
            body = self._client.call(Path.READ, question.payload(part), object=kind)
            return question.answered(part, body)

        outcomes = isolate(names, ask, refusal=Refused, size=LARGEST, calls=most_calls(len(names)))
        for outcome in outcomes:
            if isinstance(outcome, DeliveryError) and is_account_wide(outcome):
                raise outcome
        return dict(zip(names, map(_meaning, outcomes), strict=True))


def _meaning(outcome: Found) -> Found:
    """Return what is known of a record: a refusal of it alone may say that there is none."""
    if isinstance(outcome, Refused):
        return None if outcome.complaint.category in NOT_FOUND else read_failure(outcome)
    return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is asked of records of one object, and by which property they are named."""

    kind: str
    properties: tuple[str, ...]
    id_property: str | None

    def payload(self, ids: Sequence[str]) -> dict[str, Any]:
        wanted = dict.fromkeys(self.properties)
        if self.id_property is not None:
            wanted[self.id_property] = None
        if self.id_property == EMAIL:
            wanted[MORE_EMAILS] = None
        named = {} if self.id_property is None else {"idProperty": self.id_property}
        inputs = [{"id": name} for name in ids]
        return {"inputs": inputs, "properties": list(wanted), "propertiesWithHistory": [], **named}

    def answered(self, ids: Sequence[str], body: Mapping[str, Any]) -> list[Found]:
        found: dict[str, Written] = {}
        for record in filter(None, map(written_of, results_in(body))):
            found.update(dict.fromkeys(self._names(record), record))
        complaints = complaints_in(body)
        return [found.get(name) or absence(name, ids, complaints) for name in ids]

    def _names(self, record: Written) -> Sequence[str]:
        """Return what a record may have been asked for: a merged contact is found by old addresses too."""
        if self.id_property is None:
            return (record.id,)
        held = record.values.get(self.id_property, "")
        if self.id_property != EMAIL:
            return (held,)
        more = record.values.get(MORE_EMAILS, "").split(";")
        return [address.strip().lower() for address in (held, *more)]


def absence(name: str, asked: Sequence[str], complaints: Sequence[HubSpotComplaint]) -> DeliveryError | None:
    """Return what it means that the results do not hold ``name``: None if HubSpot says it is absent."""
    for complaint in complaints:
        named = name in complaint.ids or (len(asked) == 1 and not complaint.ids)
        if named and complaint.category in NOT_FOUND:
            return None
    others = [complaint for complaint in complaints if complaint.category not in NOT_FOUND]
    if others:
        return read_failure(error_of(others[0]))
    return TemporaryFailure("HubSpot's answer does not mention a record that was asked for")


def read_failure(error: DeliveryError) -> DeliveryError:
    """Return an error of a read: where it is refused, that says nothing against the lead."""
    return as_temporary(error, "HubSpot does not say what it holds")
