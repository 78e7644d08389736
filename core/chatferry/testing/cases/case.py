"""Fixtures and assertions shared by all cases."""

# ruff: noqa: S101  (these are tests, shipped: they assert)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest

from chatferry.connector import Connector, Outcome
from chatferry.errors import DeliveryError
from chatferry.isolation import isolate
from chatferry.model import Lead, Receipt, Value
from chatferry.testing.capability import Capability
from chatferry.testing.harness import Harness
from chatferry.testing.leads import PERSONAL
from chatferry.testing.shape import Held, Shape

Case = TypeVar("Case", bound=Callable[..., None])
Failure = TypeVar("Failure", bound=DeliveryError)


def needs(*capabilities: Capability) -> Callable[[Case], Case]:
    """Mark a case as one for connectors that declare all these capabilities."""

    def mark(case: Case) -> Case:
        case.__dict__["needs"] = frozenset(capabilities)
        return case

    return mark


class Cases:
    """The fixtures of every case: a fresh account, and a connector for it."""

    harness: ClassVar[type[Harness]]

    @pytest.fixture
    def crm(self, tmp_path: Path) -> Iterator[Harness]:
        """Yield a fresh, empty account of the CRM."""
        with self.harness(tmp_path) as crm:
            yield crm

    @pytest.fixture
    def connector(self, crm: Harness) -> Iterator[Connector]:
        """Yield a connector for the account."""
        connector = crm.connect()
        yield connector
        connector.close()


def outcomes(connector: Connector, leads: Sequence[Lead]) -> list[Outcome]:
    """Deliver the leads as the engine does, and return an outcome each.

    A call holds at most ``batch_size``. One that raises what may be about a single lead is made again in
    halves; what speaks for the destination is the outcome of all.
    """
    found: list[Outcome] = []
    for start in range(0, len(leads), connector.batch_size):
        batch = leads[start : start + connector.batch_size]
        found += isolate(batch, partial(_call, connector), refusal=DeliveryError)
    return found


def _call(connector: Connector, batch: Sequence[Lead]) -> list[Outcome]:
    try:
        answer = list(connector.deliver(batch))
    except DeliveryError as error:
        impersonal(error)
        raise
    assert len(answer) == len(batch), f"{len(answer)} outcomes came back for {len(batch)} leads"
    for outcome in answer:
        assert isinstance(outcome, Receipt | DeliveryError), (
            f"an outcome is a Receipt or a DeliveryError, not {type(outcome).__name__}"
        )
        impersonal(outcome)
    return answer


def impersonal(outcome: Outcome) -> None:
    """Check that an outcome contains no personal data of a lead."""
    shown = f"{outcome} {outcome!r}".lower()
    for number, value in enumerate(PERSONAL, 1):
        assert value not in shown, f"personal data (no. {number}) is shown in: {shown[:300]}"


def delivered(connector: Connector, *leads: Lead) -> list[Receipt]:
    """Deliver the leads and return their receipts; a failure fails the case."""
    receipts = []
    for outcome in outcomes(connector, leads):
        assert isinstance(outcome, Receipt), f"the lead was not delivered: {outcome!r} {_words(outcome)}"
        receipts.append(outcome)
    return receipts


def refused(connector: Connector, *leads: Lead, kind: type[Failure]) -> Failure:
    """Deliver leads that must fail, and return the last error; each must be of ``kind``."""
    for outcome in outcomes(connector, leads):
        assert isinstance(outcome, kind), f"expected {kind.__name__}, got {outcome!r}"
        failure = outcome
    return failure


def held_once(crm: Harness, shape: Shape, key: str) -> Held:
    """Return the one live record of a key; none or two of them fail the case."""
    return _one(crm.held(shape.name), shape, key)


def key_of(crm: Harness, shape: Shape, lead: Lead) -> str:
    """Return the key a lead's record of an object is written under."""
    return lead.contact_key if shape is crm.contact else lead.key


def text_in(shape: Shape | None, text: str) -> dict[str, Value]:
    """Return the text field of an object with this text; nothing if the CRM has no such object."""
    return {shape.text: text} if shape else {}


def record_of(crm: Harness, shape: Shape, lead: Lead) -> Held:
    """Return the one record of a lead."""
    return held_once(crm, shape, key_of(crm, shape, lead))


def holds_once(crm: Harness, *leads: Lead) -> None:
    """Check that the CRM holds exactly one record of each object for each lead, and no other record."""
    for _ in _records(crm, leads):
        pass


def holds_content(crm: Harness, *leads: Lead) -> None:
    """Check that the CRM holds what the leads' records say, field by field."""
    for lead, shape, held in _records(crm, leads):
        for name, value in lead.records[shape.name].values.items():
            same(held.fields.get(name), crm.held_as(shape.name, name, value), f"{shape.name}.{name}")


def holds_receipts(crm: Harness, leads: Sequence[Lead], receipts: Sequence[Outcome]) -> None:
    """Check that each receipt names its lead's own records, which the CRM holds."""
    given = {lead.key: receipt for lead, receipt in zip(leads, receipts, strict=True)}
    for lead, shape, held in _records(crm, leads):
        receipt = given[lead.key]
        assert isinstance(receipt, Receipt), f"the lead was not delivered: {receipt!r} {_words(receipt)}"
        named = receipt.ids.get(shape.name)
        assert named == held.id, f"the receipt names {shape.name} {named!r}, the lead's record is {held.id!r}"


def _records(crm: Harness, leads: Sequence[Lead]) -> Iterator[tuple[Lead, Shape, Held]]:
    """Read each object once, however many leads there are, and find their records."""
    for shape in crm.shapes:
        held = _keyed(crm, shape)
        for lead in leads:
            key = key_of(crm, shape, lead)
            yield lead, shape, _one(held[key], shape, key)


def holds_no_orphans(crm: Harness) -> None:
    """Check that every record of the account has the key of a lead: none was created without one."""
    for shape in crm.shapes:
        _keyed(crm, shape)


def _keyed(crm: Harness, shape: Shape) -> Mapping[str, Sequence[Held]]:
    held = defaultdict(list)
    for record in crm.held(shape.name):
        assert record.key in crm.leads.keys[shape.name], (
            f"{shape.name} {record.id} is held under {record.key!r}, which is no lead's key: "
            "it was created without one, or before the harness"
        )
        held[record.key].append(record)
    return held


def _one(records: Sequence[Held], shape: Shape, key: str) -> Held:
    found = [record for record in records if record.key == key]
    assert len(found) == 1, f"the CRM holds {len(found)} records of one {shape.name} key"
    return found[0]


def same(held: Value, expected: Value, where: str) -> None:
    """Check that a field holds what is expected; an empty text and None are the same."""
    assert (held or None) == (expected or None) or held == expected, (
        f"{where} holds {_short(held)}, expected {_short(expected)}"
    )


def snapshot(crm: Harness) -> dict[str, list[tuple[str, str, dict[str, Value], str | None]]]:
    """Return everything the CRM holds, comparable."""
    return {
        shape.name: sorted(
            ((held.key, held.id, dict(held.fields), held.contact) for held in crm.held(shape.name)),
            key=lambda row: (row[0], row[1]),
        )
        for shape in crm.shapes
    }


def truncated_with_note(crm: Harness, shape: Shape, field: str, lead: Lead, receipt: Receipt) -> None:
    """Check that the CRM holds a long text in full, or its beginning and a note of the receipt says so."""
    sent = str(crm.held_as(shape.name, field, lead.records[shape.name].values[field]))
    held = str(record_of(crm, shape, lead).fields.get(field) or "")
    if held == sent:
        return
    assert receipt.notes, f"{shape.name}.{field} was cut to {len(held)} characters and no note says so"
    beginning = held[: max(0, len(held) - 120)]
    assert held, f"{shape.name}.{field} was emptied, not cut"
    assert sent.startswith(beginning), f"{shape.name}.{field} does not hold the beginning of what was sent"


def _short(value: Value) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:150]}… ({len(text)} characters)"  # noqa: PLR2004  (fits a terminal)


def _words(outcome: Outcome) -> str:
    return outcome.crm_message if isinstance(outcome, DeliveryError) else ""
