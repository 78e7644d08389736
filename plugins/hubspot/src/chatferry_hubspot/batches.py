"""Writing records in batches: every one gets its result, whatever order or status HubSpot answers with."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any

from chatferry import DeliveryError, TemporaryFailure
from chatferry.isolation import isolate
from chatferry.records import Result, Written, open_drafts, settle, write_repaired
from chatferry_hubspot.answers import (
    HubSpotComplaint,
    NoSuchObject,
    Refused,
    as_temporary,
    complaints_in,
    error_of,
    results_in,
    written_of,
)
from chatferry_hubspot.checkboxes import INVALID_OPTION, Checkboxes
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.rows import HubSpotDraft

LARGEST = 100
"""Inputs HubSpot takes in one call about objects."""
EMAIL = "email"
UNKNOWN_PROPERTY = "PROPERTY_DOESNT_EXIST"
_UNMENTIONED = "HubSpot's answer does not mention the record"


def most_calls(inputs: int) -> int:
    """Return how many calls may be spent on so many inputs, if some of them are refused."""
    hundreds = math.ceil(inputs / LARGEST)
    halvings = math.ceil(math.log2(max(min(inputs, LARGEST), 2)))
    return hundreds * 8 * (halvings + 1)


def repair(draft: HubSpotDraft, needed: Collection[str]) -> bool:
    """Take the fields off a draft for which it was refused; return whether there is something to send again.

    :param needed: the properties that records are found by.
    """
    if not isinstance(draft.result, Refused) or draft.result.conflict or draft.result.missing:
        return False
    complaint = draft.result.complaint
    names = (complaint.fields & draft.fields.names) - {*needed, draft.key_field}
    if not names:
        return False
    note = f"{', '.join(sorted(names))} was left out: HubSpot refuses it ({complaint.name})"
    draft.fields, draft.result = draft.fields.without(names, note), None
    return True


def _is_of_option(refused: Refused) -> bool:
    return INVALID_OPTION in refused.complaint.name


class BatchWriter:
    """Writes drafts a hundred at a time."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self._checkboxes = Checkboxes(client)

    def write(self, path: Path, kind: str, drafts: Sequence[HubSpotDraft]) -> None:
        """Give each draft its result; all of them are found by the same property.

        An error that is not about the data ends the work: what was not sent shares it. Of a record
        that is refused for some of its fields the rest is sent again, see :func:`repair`.
        """
        drafts = open_drafts(drafts)
        for draft in drafts:
            draft.fields = self._checkboxes.fit(kind, draft.fields)
        write_repaired(drafts, partial(self._write, path, kind), partial(self._repaired, kind))

    def _repaired(self, kind: str, drafts: Sequence[HubSpotDraft]) -> list[HubSpotDraft]:
        return [*self._relearned(kind, drafts), *self._without_refused(drafts)]

    def _relearned(self, kind: str, drafts: Sequence[HubSpotDraft]) -> list[HubSpotDraft]:
        """Return the drafts that were refused for an option, with their lists as HubSpot takes them."""
        refused = [
            draft for draft in drafts if isinstance(draft.result, Refused) and _is_of_option(draft.result)
        ]
        try:
            if not refused or not self._checkboxes.learn(kind):
                return []
        except DeliveryError as error:
            settle(refused, as_temporary(error, "HubSpot does not say which options it has"))
            return []
        for draft in refused:
            draft.fields, draft.result = self._checkboxes.fit(kind, draft.fields), None
        return refused

    def _without_refused(self, drafts: Sequence[HubSpotDraft]) -> list[HubSpotDraft]:
        if self._client.options.strict:
            return []
        return [draft for draft in drafts if repair(draft, self._client.options.own_properties)]

    def _write(self, path: Path, kind: str, drafts: Sequence[HubSpotDraft]) -> None:
        work = _BatchWrite(self._client, path, kind, drafts)
        outcomes = isolate(
            drafts, work.send, size=LARGEST, calls=most_calls(len(drafts)), culprits=work.culprits
        )
        for draft, outcome in zip(drafts, outcomes, strict=True):
            draft.result = draft.result or outcome


class _BatchWrite:
    """The calls that write one sequence of drafts, each known by its ``objectWriteTraceId``."""

    def __init__(self, client: HubSpotClient, path: Path, kind: str, drafts: Sequence[HubSpotDraft]) -> None:
        self._client = client
        self._path = path
        self._kind = kind
        self._id_property = drafts[0].key_field if drafts and path is Path.UPSERT else None
        self._traces = {draft: str(number) for number, draft in enumerate(drafts)}

    def send(self, part: Sequence[HubSpotDraft]) -> Sequence[Result]:
        """Write those of a part that have no result yet.

        Where HubSpot reports an error without saying whose, the rest is sent again in smaller parts.
        That is never done when creating, since a second create makes a second record; only a call that
        was refused as a whole is, since it has written nothing.
        """
        sent = open_drafts(part)
        nameless = self._assign(sent, self._call(sent)) if sent else []
        silent = open_drafts(sent)
        if nameless and silent and len(sent) == 1:
            silent[0].result = self._error(nameless[0])
        elif nameless and silent and self._path is not Path.CREATE:
            raise Refused(nameless[0])
        return [draft.result or TemporaryFailure(_UNMENTIONED) for draft in part]

    def culprits(self, error: DeliveryError, part: Sequence[HubSpotDraft]) -> Collection[int]:
        """Return which drafts a refusal of a whole call names, by trace id or by an unknown property."""
        complaint = error.complaint if isinstance(error, Refused) else HubSpotComplaint()
        sent = [(number, draft) for number, draft in enumerate(part) if draft.result is None]
        named = [number for number, draft in sent if self._traces[draft] in complaint.traces]
        if named or UNKNOWN_PROPERTY not in {complaint.code, complaint.category}:
            return named
        return [number for number, draft in sent if not complaint.fields.isdisjoint(draft.values)]

    def _call(self, drafts: Sequence[HubSpotDraft]) -> Mapping[str, Any]:
        payload = {"inputs": [self._input(draft) for draft in drafts]}
        try:
            return self._client.call(self._path, payload, object=self._kind)
        except Refused as error:
            if error.status == HTTPStatus.NOT_FOUND and self._path in {Path.UPSERT, Path.CREATE}:
                raise NoSuchObject(error.complaint) from None
            raise self._misconfigured(error.complaint) or error from None

    def _input(self, draft: HubSpotDraft) -> dict[str, Any]:
        made: dict[str, Any] = {"objectWriteTraceId": self._traces[draft], "properties": draft.values}
        if name := self._name(draft):
            made["id"] = name
        if self._id_property:
            made["idProperty"] = self._id_property
        if draft.associations is not None:
            made["associations"] = list(draft.associations)
        return made

    def _name(self, draft: HubSpotDraft) -> str:
        """Return what the call names the record by; a new one has no name yet."""
        return {Path.UPSERT: draft.key, Path.UPDATE: draft.record_id}.get(self._path, "")

    def _assign(self, sent: Sequence[HubSpotDraft], body: Mapping[str, Any]) -> list[HubSpotComplaint]:
        """Give every result and every error to the draft it names; return the errors that name none."""
        for record in results_in(body):
            draft, written = self._draft_of(record, sent), written_of(record)
            if draft is not None and written is not None:
                draft.result = draft.result or replace(written, created=self._creates(written))
        nameless: list[HubSpotComplaint] = []
        for complaint in complaints_in(body):
            named = [draft for draft in sent if self._traces[draft] in complaint.traces]
            for draft in named:
                draft.result = self._error(complaint)
            nameless += [] if named else [complaint]
        return nameless

    def _creates(self, written: Written) -> bool:
        """Return whether the record is new; an update is believed to be none, whatever its dates say."""
        return self._path is Path.CREATE or (self._path is Path.UPSERT and written.created)

    def _draft_of(self, record: Mapping[str, Any], sent: Sequence[HubSpotDraft]) -> HubSpotDraft | None:
        """Return whose result it is: by its trace id, or by the name it was asked for where there is none."""
        trace = record.get("objectWriteTraceId")
        if isinstance(trace, str):
            return next((draft for draft in sent if self._traces[draft] == trace), None)
        properties = record.get("properties")
        held = properties.get(self._id_property) if isinstance(properties, Mapping) else None
        name = held if self._id_property else record.get("id")
        if not isinstance(name, str) or not name:
            return None
        name = name.lower() if self._id_property == EMAIL else name
        return next((draft for draft in sent if self._name(draft) == name), None)

    def _error(self, complaint: HubSpotComplaint) -> DeliveryError:
        return self._misconfigured(complaint) or error_of(complaint)

    def _misconfigured(self, complaint: HubSpotComplaint) -> DeliveryError | None:
        """Return an error for all leads if a property of our own is refused: no lead can help that.

        HubSpot names it in the error, or, of the one the records are found by, only in its message.
        """
        own = self._client.options.own_properties
        named = not own.isdisjoint(complaint.fields)
        if not named and not complaint.fields and not complaint.traces and self._id_property in own:
            named = self._id_property in re.findall(r"\w+", complaint.crm_message)
        if complaint.conflict or not named:
            return None
        return TemporaryFailure(
            f"HubSpot refuses a property that chatferry finds records by ({complaint.name}): "
            "run check, then provision",
            **complaint.details,
        )
