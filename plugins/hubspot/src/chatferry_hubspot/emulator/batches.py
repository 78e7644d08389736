"""Batches: all or nothing, unless every input has a trace id of its own.

Observed by a public probe of the live API in September 2026: with own trace ids the good inputs are
written and the answer is 207; without, one bad input refuses the whole batch. Results are unordered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from chatferry.emulators.clock import timestamp
from chatferry_hubspot.emulator.catalogue import ObjectType
from chatferry_hubspot.emulator.errors import ApiError, invalid
from chatferry_hubspot.emulator.records import Record, unique_key
from chatferry_hubspot.emulator.serving import account, app

TRACE = "objectWriteTraceId"
Entry = Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """The outcome of a batch: results in the order of the inputs, and errors."""

    results: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    hidden: bool = False
    """Whether errors are reported with 200."""

    def answer(self, status: int = 200) -> ResponseReturnValue:
        """Return the answer: 207 if an input failed."""
        now = timestamp(account().clock.now())
        results = list(self.results)
        account().random.shuffle(results)
        body: dict[str, Any] = {
            "status": "COMPLETE",
            "results": app().misbehaviour.results(self.results, results),
            "requestedAt": now,
            "startedAt": now,
            "completedAt": timestamp(account().clock.now()),
        }
        if self.errors:
            body |= {"numErrors": len(self.errors), "errors": self.errors}
            status = 200 if self.hidden else 207
        return jsonify(body), status


def refuse_duplicates(entries: Sequence[Entry]) -> None:
    """Refuse the whole batch if two inputs address the same record.

    :raises ApiError: 400 naming the ids.
    """
    keys = Counter((entry.get("idProperty"), _key(entry)) for entry in entries)
    repeated = sorted({key for (_, key), times in keys.items() if times > 1})
    if repeated:
        message = f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique"
        raise invalid(message, context={"ids": repeated})


def _key(entry: Entry) -> str:
    return unique_key(entry.get("idProperty") or "", str(entry["id"]))


def traced(entries: Sequence[Entry]) -> bool:
    """Whether every input has a trace id of its own."""
    traces = [entry.get(TRACE) for entry in entries]
    return all(isinstance(trace, str) and trace for trace in traces) and len(set(traces)) == len(traces)


def write(kind: ObjectType, entries: Sequence[Entry], one: Callable[[Entry], Record]) -> Outcome:
    """Write each input with ``one``.

    :raises ApiError: if the batch is refused; nothing is written then.
    """
    outcome, partial = Outcome(), traced(entries)
    victim = _victim(outcome, entries) if partial else None
    with kind.table.transaction():
        for place, entry in enumerate(entries):
            try:
                if place == victim:
                    raise ApiError(500, "INTERNAL_ERROR", "internal error")  # noqa: TRY301  (as if it had failed)
                record = one(entry)
            except ApiError as error:
                if not partial or error.refuses_batch:
                    raise
                outcome.errors.append(error.entry({TRACE: [entry[TRACE]]}))
            else:
                outcome.results.append(_result(kind, entry, record))
    return outcome


def _victim(outcome: Outcome, entries: Sequence[Entry]) -> int | None:
    """Return the position of the input that a fault makes fail, None if no fault strikes."""
    outcome.hidden = app().misbehaviour.strikes("errors-in-200") is not None
    if outcome.hidden or app().misbehaviour.strikes("partial-207"):
        return account().random.randrange(len(entries))
    return None


def _result(kind: ObjectType, entry: Entry, record: Record) -> dict[str, Any]:
    result = record.to_json({*entry["properties"], *kind.system})
    if entry.get(TRACE):
        result[TRACE] = entry[TRACE]
    return result
