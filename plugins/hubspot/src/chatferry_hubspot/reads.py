"""What the account holds of records that are asked for: HubSpot's word on each, and silence is none.

Whoever takes a record for absent creates it or fills it. So a record is absent only if HubSpot says
so: an answer that leaves it out, or reports a failure instead, leaves it unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from chatferry import DeliveryError, PermanentFailure, TemporaryFailure
from chatferry_hubspot.answers import Complaint, Refused
from chatferry_hubspot.batches import LARGEST, Budget
from chatferry_hubspot.client import Client
from chatferry_hubspot.paths import Path
from chatferry_hubspot.replies import (
    NOT_FOUND,
    Written,
    complaints,
    entry_error,
    of_account,
    records,
    written_of,
)

EMAIL, MORE_EMAILS = "email", "hs_additional_emails"

Found: TypeAlias = Written | DeliveryError | None
"""A record, the reason why nothing is known of it, or None: there is no such record."""


class Reads:
    """Reads records a hundred at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(
        self, kind: str, ids: Iterable[str], properties: Iterable[str], id_property: str | None = None
    ) -> dict[str, Found]:
        """Return what HubSpot says of each record, by the name it was asked for.

        :raises DeliveryError: if the reason speaks of the account, and so for everything.
        """
        question = _Question(kind=kind, properties=tuple(properties), id_property=id_property)
        names = list(ids)
        found: dict[str, Found] = {}
        for start in range(0, len(names), LARGEST):
            part = names[start : start + LARGEST]
            found.update(self._ask(question, part, Budget(len(part))))
        return found

    def _ask(self, question: _Question, ids: Sequence[str], budget: Budget) -> dict[str, Found]:
        """Ask for all of them; if that is refused, by halves: it may be about one name alone."""
        if not budget.spend():
            return dict.fromkeys(ids, TemporaryFailure("HubSpot refuses too many of the records asked for"))
        try:
            body = self._client.call(Path.READ, question.payload(ids), object=question.kind)
        except Refused as error:
            if len(ids) == 1:
                return {ids[0]: None if error.complaint.category in NOT_FOUND else unknown(error)}
            middle = len(ids) // 2
            first = self._ask(question, ids[:middle], budget)
            return {**first, **self._ask(question, ids[middle:], budget)}
        except DeliveryError as error:
            if of_account(error):
                raise
            return dict.fromkeys(ids, error)
        return question.answered(ids, body)


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

    def answered(self, ids: Sequence[str], body: Mapping[str, Any]) -> dict[str, Found]:
        found: dict[str, Found] = {}
        for record in filter(None, map(written_of, records(body))):
            found.update({name: record for name in self._names(record) if name in ids})
        told = list(complaints(body))
        return {name: found[name] if name in found else silence(name, ids, told) for name in ids}

    def _names(self, record: Written) -> Sequence[str]:
        """Return what a record may have been asked for: a merged contact answers to old addresses too."""
        if self.id_property is None:
            return (record.id,)
        held = record.properties.get(self.id_property, "")
        if self.id_property != EMAIL:
            return (held,)
        more = record.properties.get(MORE_EMAILS, "").split(";")
        return [address.strip().lower() for address in (held, *more)]


def silence(name: str, asked: Sequence[str], told: Sequence[Complaint]) -> DeliveryError | None:
    """Return what it means that the results do not hold ``name``: None if it is said to be absent."""
    for complaint in told:
        named = name in complaint.ids or (len(asked) == 1 and not complaint.ids)
        if named and complaint.category in NOT_FOUND:
            return None
    spoken = [one for one in told if one.category not in NOT_FOUND]
    if spoken:
        return unknown(entry_error(spoken[0]))
    return TemporaryFailure("HubSpot's answer does not mention a record that was asked for")


def unknown(error: DeliveryError) -> DeliveryError:
    """Return an error of a read: a refusal is no word on the lead, which has done nothing wrong."""
    if not isinstance(error, PermanentFailure):
        return error
    return TemporaryFailure(
        f"HubSpot does not say what it holds: {error}",
        crm_message=error.crm_message,
        code=error.code,
        reference=error.reference,
    )
