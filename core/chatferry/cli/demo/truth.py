"""Compare what a CRM holds with the emulator's ground truth, field by field.

This module knows no CRM: the expressions of its mapping say what each of its fields should hold.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chatferry.emulators.iadvize import Truth
from chatferry.emulators.stage import Arrived, Stage
from chatferry.leads.emails import usable_email

_ANSWER = re.compile(r"answers\.(\w+)")
_TRUTHS: Mapping[str, Callable[[Truth], Any]] = {
    "email": lambda truth: usable_email(truth.email),
    "visitor.id": lambda truth: truth.visitor_id,
    "visitor.first_name": lambda truth: truth.visitor["firstName"],
    "visitor.last_name": lambda truth: truth.visitor["lastName"],
    "visitor.address": lambda truth: truth.visitor["address"],
    "visitor.city": lambda truth: truth.visitor["city"],
    "visitor.zip_code": lambda truth: truth.visitor["zipCode"],
    "visitor.country": lambda truth: truth.visitor["country"],
    "visitor.phone or answers.phone": lambda truth: Phone(truth.phone) if truth.phone else None,
    "conversation.id": lambda truth: truth.conversation_id,
    "conversation.project_id": lambda truth: truth.project_id,
    "conversation.project_name or conversation.project_id": lambda truth: truth.project_name,
    "conversation.channel": lambda truth: truth.channel,
    "conversation.language": lambda truth: truth.language,
    "conversation.answered": lambda truth: truth.answered,
    "conversation.created_at": lambda truth: truth.created_at,
    "conversation.closed_at": lambda truth: truth.closed_at,
    "conversation.satisfaction.csat": lambda truth: truth.satisfaction.get("customerSatisfaction"),
    "transcript": lambda truth: _transcript_lines(truth) if truth.messages else None,
}
"""The value that an expression must evaluate to. An expression that is not here is not compared."""


class Phone(str):
    """A telephone number as a visitor writes it; compared by its national digits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that is wrong; ``field`` is empty if the whole lead is missing or unexpected."""

    key: str
    field: str = ""
    expected: str = ""
    found: str = ""


@dataclass(slots=True, kw_only=True)
class Comparison:
    """How many values of each field should be there, how many are right, and what is wrong."""

    arrived: int = 0
    expected: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


def compare(truths: Sequence[Truth], stage: Stage, mapping: Mapping[str, Mapping[str, str]]) -> Comparison:
    """Compare every lead that should be there with what the stage holds."""
    there: dict[str, Arrived] = {}
    result = Comparison()
    for one in stage.held():
        if one.key in there:
            result.differences.append(Difference(key=one.key, expected="once", found="twice"))
        there[one.key] = one
    wanted = {key_of(truth): truth for truth in truths}
    result.arrived = len(wanted.keys() & there.keys())
    for key in wanted.keys() ^ there.keys():
        missing = key in wanted
        expected, found = ("a lead", "nothing") if missing else ("nothing", "a lead")
        result.differences.append(Difference(key=key, expected=expected, found=found))
    pairs = [(truth, there[key]) for key, truth in wanted.items() if key in there]
    shared = _by_contact(pairs)
    result.differences += _merged_contacts(shared, next(iter(stage.contacts), "contact"))
    for truth, one in pairs:
        for name, expected_values, found_value in _fields(truth, one, mapping, shared, stage):
            _count(result, one.key, name, expected_values, found_value)
    return result


def key_of(truth: Truth) -> str:
    """Return the key a conversation's lead must have."""
    return f"{truth.platform}-{truth.client_id}-{truth.conversation_id}"


def _by_contact(pairs: Iterable[tuple[Truth, Arrived]]) -> Mapping[str, Sequence[Truth]]:
    shared: dict[str, list[Truth]] = defaultdict(list)
    for truth, one in pairs:
        shared[one.contact].append(truth)
    return shared


def _merged_contacts(shared: Mapping[str, Sequence[Truth]], name: str) -> Iterator[Difference]:
    """Return the contacts in which several people were merged; ``name`` is what the CRM calls a contact."""
    for truths in shared.values():
        people = _people(truths)
        if people > 1:
            yield Difference(
                key=key_of(truths[0]), field=name, expected="one person", found=f"{people} people"
            )


def _people(truths: Iterable[Truth]) -> int:
    """Count the people: a visitor's id and an e-mail both name one, and a conversation may tie the two."""
    people: list[set[str]] = []
    for truth in truths:
        names = {truth.visitor_id, usable_email(truth.email) or truth.visitor_id}
        same = [known for known in people if known & names]
        people = [known for known in people if not known & names]
        people.append(names.union(*same))
    return len(people)


def _fields(
    truth: Truth,
    one: Arrived,
    mapping: Mapping[str, Mapping[str, str]],
    shared: Mapping[str, Sequence[Truth]],
    stage: Stage,
) -> Iterator[tuple[str, Sequence[Any], str]]:
    """Return each field that can be compared: its name, the values that are right, what is there.

    Conversations of one visitor share a contact, whose fields are right if one of them says so; what
    a later one does not know is kept.
    """
    for kind, fields in mapping.items():
        sources = shared[one.contact] if kind in stage.contacts else [truth]
        for name, expression in fields.items():
            evaluate = _evaluator(expression)
            if evaluate is not None:
                written = [value for source in sources for value in evaluate(source)]
                values = [_held_as(stage, kind, name, value) for value in written]
                yield f"{kind}.{name}", values, one.records.get(kind, {}).get(name) or ""


def _held_as(stage: Stage, kind: str, name: str, value: Any) -> Any:
    """Return a right text as the CRM keeps it, a transcript line by line, and other values as they are."""
    if isinstance(value, tuple):
        return tuple(stage.held_as(kind, name, line) for line in value)
    return stage.held_as(kind, name, value) if type(value) is str else value


def _transcript_lines(truth: Truth) -> tuple[str, ...]:
    """Return what a transcript must hold: every line of every answer."""
    return tuple(line for answer in truth.answers.values() for line in answer.value.splitlines() if line)


def _evaluator(expression: str) -> Callable[[Truth], Sequence[Any]] | None:
    """Return what gives the right values of an expression, none where there should be nothing."""
    if found := _ANSWER.fullmatch(expression):
        return lambda truth: _answer(truth, found[1])
    if (evaluate := _TRUTHS.get(expression)) is None:
        return None
    return lambda truth: [] if (value := evaluate(truth)) is None else [value]


def _answer(truth: Truth, name: str) -> Sequence[Any]:
    """Return the right answers; any text will do where the visitor sent only a file."""
    if name in truth.files_only:
        return [()]
    return truth.answers[name].values if name in truth.answers else ()


def _count(result: Comparison, key: str, name: str, expected: Sequence[Any], found: str) -> None:
    result.expected[name] += bool(expected)
    right = any(_same(value, found) for value in expected) if expected else not found
    result.right[name] += bool(right and expected)
    if not right:
        wanted = " or ".join(dict.fromkeys(map(str, expected))) or "nothing"
        result.differences.append(Difference(key=key, field=name, expected=wanted, found=found or "nothing"))


def _same(expected: Any, found: str) -> bool:
    """Whether a text is a value, in any format that CRMs use for dates, numbers, booleans and white space."""
    if isinstance(expected, bool):
        expected, found = str(expected).lower(), found.lower()
    try:
        if isinstance(expected, datetime):
            return abs(datetime.fromisoformat(found) - expected) < timedelta(seconds=1)
        if isinstance(expected, int | float):
            return float(found) == float(expected)
    except (ValueError, TypeError):
        return False
    if isinstance(expected, Phone):
        return bool(digits := _digits(expected)) and _digits(found).endswith(digits)
    text = " ".join(found.split())
    if isinstance(expected, tuple):
        return bool(text) and all(" ".join(line.split()) in text for line in expected)
    return text == " ".join(str(expected).split())


def _digits(number: str) -> str:
    """Return the digits of a number, without the trunk or international prefix (leading zeros)."""
    return "".join(sign for sign in number.replace("(0)", "") if sign.isdecimal()).lstrip("0")
