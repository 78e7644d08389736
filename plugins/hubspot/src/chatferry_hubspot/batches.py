"""Many inputs in, one result an input out: whatever order, status or silence HubSpot answers with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from chatferry import (
    AuthFailure,
    DeliveryError,
    PermanentFailure,
    QuotaExhausted,
    RateLimited,
    TemporaryFailure,
)
from chatferry_hubspot.answers import Complaint, Refused, complain
from chatferry_hubspot.client import Client
from chatferry_hubspot.paths import Path

LARGEST = 100
"""Inputs HubSpot takes in one call about objects."""
UNKNOWN_PROPERTY = "PROPERTY_DOESNT_EXIST"
OUR_PACE = frozenset({"RATE_LIMIT", "RATE_LIMITS"})
THEIR_FAULT = frozenset(
    {"INTERNAL_ERROR", "SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "LOCKED", "GATEWAY_ERROR"}
)
GONE = 404
NOT_FOUND = frozenset({"OBJECT_NOT_FOUND", "NOT_FOUND"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One record to write: its id, or a unique property's value, and what goes into it."""

    id: str = field(default="", repr=False)
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)
    associations: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record HubSpot has taken, or found."""

    id: str
    created: bool = False
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)


Result: TypeAlias = Written | DeliveryError


class _Budget:
    """How many calls may still be spent on finding out which input is the bad one."""

    def __init__(self, inputs: int) -> None:
        self.left = 8 * (math.ceil(math.log2(max(inputs, 2))) + 1)

    def spend(self) -> bool:
        self.left -= 1
        return self.left >= 0


def of_account(error: DeliveryError) -> bool:
    """Return whether an error says something of the account, not of what was sent."""
    return isinstance(error, AuthFailure | QuotaExhausted | RateLimited)


class Batches:
    """Writes and reads records a hundred at a time; no input ever goes without a result."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def write(
        self, path: Path, kind: str, inputs: Sequence[Input], id_property: str | None = None
    ) -> list[Result]:
        """Send the inputs and return a result each, in their order.

        An error that is not about the data ends the work: what was not sent shares it.
        """
        results: list[Result] = []
        stop: DeliveryError | None = None
        for start in range(0, len(inputs), LARGEST):
            part = inputs[start : start + LARGEST]
            if stop is not None:
                results += [stop] * len(part)
                continue
            answered = _Chunk(self._client, path, kind, id_property, _Budget(len(part))).send(part)
            results += answered
            stop = answered[0] if isinstance(answered[0], DeliveryError) and _everybody(answered) else None
        return results

    def read(
        self, kind: str, ids: Sequence[str], properties: Sequence[str], id_property: str | None = None
    ) -> dict[str, Written]:
        """Return what there is of the records named, by the name they were asked for.

        :raises DeliveryError: if HubSpot did not answer.
        """
        found: dict[str, Written] = {}
        for start in range(0, len(ids), LARGEST):
            payload: dict[str, Any] = {
                "inputs": [{"id": name} for name in ids[start : start + LARGEST]],
                "properties": [*properties, *([id_property] if id_property else [])],
                "propertiesWithHistory": [],
            }
            if id_property:
                payload["idProperty"] = id_property
            for record in self._answer(kind, payload):
                written = _written(record)
                if written is not None:
                    name = written.properties.get(id_property, "") if id_property else written.id
                    found[name.lower() if id_property == "email" else name] = written
        return found

    def _answer(self, kind: str, payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        try:
            return self._client.ask(Path.READ, payload, object=kind)
        except Refused as error:
            if error.status == GONE:
                return []
            raise


def _no_such_object(kind: str, error: Refused) -> TemporaryFailure:
    return TemporaryFailure(
        f"HubSpot has no object {kind} (404): run check, then provision", **error.complaint.told
    )


def _everybody(results: Sequence[Result]) -> bool:
    first = results[0]
    return (
        isinstance(first, DeliveryError)
        and not isinstance(first, PermanentFailure)
        and all(result is first for result in results)
    )


class _Chunk:
    """One call's worth of inputs and the calls that follow if it is refused as a whole."""

    def __init__(
        self, client: Client, path: Path, kind: str, id_property: str | None, budget: _Budget
    ) -> None:
        self._client = client
        self._path = path
        self._kind = kind
        self._id_property = id_property
        self._budget = budget

    def send(self, inputs: Sequence[Input]) -> list[Result]:
        """Send all of them; a result each."""
        if not inputs:
            return []
        if not self._budget.spend():
            return [TemporaryFailure("too many records of one batch are refused: the rest wait")] * len(
                inputs
            )
        payload = {"inputs": [self._input(index, each) for index, each in enumerate(inputs)]}
        try:
            body = self._client.call(self._path, payload, object=self._kind)
        except Refused as error:
            if error.status == GONE and self._path in {Path.UPSERT, Path.CREATE}:
                return [_no_such_object(self._kind, error)] * len(inputs)
            return self._after_refusal(inputs, error)
        except DeliveryError as error:
            return [error] * len(inputs)
        return self._match(inputs, body)

    def _input(self, index: int, each: Input) -> dict[str, Any]:
        made: dict[str, Any] = {"objectWriteTraceId": str(index), "properties": dict(each.properties)}
        if each.id:
            made["id"] = each.id
        if each.id and self._id_property:
            made["idProperty"] = self._id_property
        if each.associations is not None:
            made["associations"] = list(each.associations)
        return made

    def _after_refusal(self, inputs: Sequence[Input], error: Refused) -> list[Result]:
        """Find out whom a refusal of the whole call is about: by name, by property, by halves."""
        if len(inputs) == 1:
            return [error]
        guilty = {i for i in range(len(inputs)) if str(i) in error.complaint.traces}
        if not guilty and UNKNOWN_PROPERTY in {error.complaint.code, error.complaint.category}:
            guilty = {
                i
                for i, each in enumerate(inputs)
                if not error.complaint.properties.isdisjoint(each.properties)
            }
        if guilty:
            rest = iter(self.send([each for i, each in enumerate(inputs) if i not in guilty]))
            return [error if i in guilty else next(rest) for i in range(len(inputs))]
        return self._halves(inputs)

    def _halves(self, inputs: Sequence[Input]) -> list[Result]:
        middle = len(inputs) // 2
        first = self.send(inputs[:middle])
        if isinstance(first[0], DeliveryError) and of_account(first[0]):
            return first + [first[0]] * (len(inputs) - middle)
        return first + self.send(inputs[middle:])

    def _match(self, inputs: Sequence[Input], body: Mapping[str, Any]) -> list[Result]:
        """Give every result and every error to the input it names, never by position."""
        results: dict[int, Result] = {}
        for record in _records(body):
            index = self._index(inputs, record)
            written = _written(record)
            if index is not None and written is not None:
                results.setdefault(index, written)
        nameless: list[Refused] = []
        for complaint in _complaints(body):
            named = [int(t) for t in complaint.traces if t.isdecimal() and int(t) < len(inputs)]
            if not named:
                nameless.append(Refused(207, complaint))
            for index in named:
                results[index] = _entry_error(complaint)
        return self._fill(inputs, results, nameless)

    def _fill(
        self, inputs: Sequence[Input], results: dict[int, Result], nameless: Sequence[Refused]
    ) -> list[Result]:
        """Settle the inputs nothing was said of."""
        silent = [index for index in range(len(inputs)) if index not in results]
        if silent and len(inputs) == 1 and nameless:
            results[0] = _entry_error(nameless[0].complaint)
        elif silent and nameless:
            sent = (
                self._halves([inputs[i] for i in silent])
                if len(silent) > 1
                else self.send([inputs[silent[0]]])
            )
            results.update(zip(silent, sent, strict=True))
        else:
            unsaid = TemporaryFailure("HubSpot's answer does not mention the record")
            results.update(dict.fromkeys(silent, unsaid))
        return [results[index] for index in range(len(inputs))]

    def _index(self, inputs: Sequence[Input], record: Mapping[str, Any]) -> int | None:
        """Return whose result it is: by its trace id, or by the id it was asked for where there is none."""
        trace = record.get("objectWriteTraceId")
        if isinstance(trace, str):
            return int(trace) if trace.isdecimal() and int(trace) < len(inputs) else None
        properties = record.get("properties")
        held = properties.get(self._id_property) if isinstance(properties, Mapping) else None
        name = held if self._id_property else record.get("id")
        if not isinstance(name, str) or not name:
            return None
        matches = (i for i, each in enumerate(inputs) if each.id and each.id.lower() == name.lower())
        return next(matches, None)


def _entry_error(complaint: Complaint) -> DeliveryError:
    """Return what one entry of a batch's ``errors`` means for its record."""
    if complaint.category in OUR_PACE:
        return RateLimited("HubSpot asks for a slower pace", retry_after=10.0, **complaint.told)
    if complaint.category in THEIR_FAULT:
        return TemporaryFailure(f"HubSpot failed on the record ({complaint.name})", **complaint.told)
    return Refused(207, complaint)


def _records(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    results = body.get("results")
    for record in results if isinstance(results, list) else ():
        if isinstance(record, Mapping):
            yield record


def _complaints(body: Mapping[str, Any]) -> Iterator[Complaint]:
    """Return the errors of a batch; they may be there whatever the status was."""
    errors = body.get("errors")
    for entry in errors if isinstance(errors, list) else ():
        if isinstance(entry, Mapping):
            yield complain(entry)


def _written(record: Mapping[str, Any]) -> Written | None:
    name, properties = record.get("id"), record.get("properties")
    if not isinstance(name, str) or not name:
        return None
    held = properties if isinstance(properties, Mapping) else {}
    new = record.get("new")
    return Written(
        id=name,
        created=new if isinstance(new, bool) else record.get("createdAt", "") == record.get("updatedAt"),
        properties={str(k): v for k, v in held.items() if isinstance(v, str)},
    )


def is_missing(result: Result) -> bool:
    """Return whether HubSpot says that the record written to is not there."""
    return isinstance(result, Refused) and (result.status == GONE or result.complaint.category in NOT_FOUND)
