"""Many inputs in, one result an input out: whatever order, status or silence HubSpot answers with."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatferry import DeliveryError, PermanentFailure, TemporaryFailure
from chatferry_hubspot.answers import Complaint, NoSuchObject, Refused
from chatferry_hubspot.client import Client
from chatferry_hubspot.paths import Path
from chatferry_hubspot.replies import (
    GONE,
    Result,
    complaints,
    entry_error,
    of_account,
    records,
    written_of,
)

LARGEST = 100
"""Inputs HubSpot takes in one call about objects."""
UNKNOWN_PROPERTY = "PROPERTY_DOESNT_EXIST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One record to write: its id, or a unique property's value, and what goes into it."""

    id: str = field(default="", repr=False)
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)
    associations: tuple[Mapping[str, Any], ...] | None = None


class Budget:
    """How many calls may still be spent on finding out which input is the bad one."""

    def __init__(self, inputs: int) -> None:
        self.left = 8 * (math.ceil(math.log2(max(inputs, 2))) + 1)

    def spend(self) -> bool:
        """Return whether there is a call left, and take it."""
        self.left -= 1
        return self.left >= 0


class Batches:
    """Writes records a hundred at a time; no input ever goes without a result."""

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
            answered = _Chunk(self._client, path, kind, id_property, Budget(len(part))).send(part)
            results += answered
            stop = answered[0] if isinstance(answered[0], DeliveryError) and _everybody(answered) else None
        return results


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
        self, client: Client, path: Path, kind: str, id_property: str | None, budget: Budget
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
                return [NoSuchObject(error.status, error.complaint)] * len(inputs)
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
        unset = self._misconfigured(error.complaint)
        if unset is not None:
            return [unset] * len(inputs)
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

    def _misconfigured(self, complaint: Complaint) -> DeliveryError | None:
        """Return an error for everybody if a property of our own is refused: no lead can help that.

        HubSpot names it in the error, or, of the one the records are found by, only in its words.
        """
        own = self._client.options.own_properties
        named = not own.isdisjoint(complaint.properties)
        if not named and not complaint.properties and not complaint.traces and self._id_property in own:
            named = self._id_property in re.findall(r"\w+", complaint.crm_message)
        if complaint.conflict or not named:
            return None
        return TemporaryFailure(
            f"HubSpot refuses a property that chatferry finds records by ({complaint.name}): "
            "run check, then provision",
            **complaint.told,
        )

    def _entry_error(self, complaint: Complaint) -> DeliveryError:
        return self._misconfigured(complaint) or entry_error(complaint)

    def _halves(self, inputs: Sequence[Input]) -> list[Result]:
        middle = len(inputs) // 2
        first = self.send(inputs[:middle])
        if isinstance(first[0], DeliveryError) and of_account(first[0]):
            return first + [first[0]] * (len(inputs) - middle)
        return first + self.send(inputs[middle:])

    def _match(self, inputs: Sequence[Input], body: Mapping[str, Any]) -> list[Result]:
        """Give every result and every error to the input it names, never by position."""
        results: dict[int, Result] = {}
        for record in records(body):
            index = self._index(inputs, record)
            written = written_of(record)
            if index is not None and written is not None:
                results.setdefault(index, written)
        nameless: list[Complaint] = []
        for complaint in complaints(body):
            named = [int(t) for t in complaint.traces if t.isdecimal() and int(t) < len(inputs)]
            if not named:
                nameless.append(complaint)
            for index in named:
                results[index] = self._entry_error(complaint)
        return self._fill(inputs, results, nameless)

    def _fill(
        self, inputs: Sequence[Input], results: dict[int, Result], nameless: Sequence[Complaint]
    ) -> list[Result]:
        """Settle the inputs nothing was said of."""
        silent = [index for index in range(len(inputs)) if index not in results]
        if silent and len(inputs) == 1 and nameless:
            results[0] = self._entry_error(nameless[0])
        elif silent and nameless and self._path is not Path.CREATE:  # a second create makes a second record
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
        if self._id_property == "email":
            name = name.lower()
        return next((i for i, each in enumerate(inputs) if each.id == name), None)
