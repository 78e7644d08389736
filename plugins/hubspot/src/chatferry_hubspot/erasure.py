"""Removing the records of earlier deliveries, by their ids and never by an address."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from chatferry import DeliveryError, Outcome, Receipt
from chatferry.isolation import isolate
from chatferry_hubspot.answers import Refused, is_missing
from chatferry_hubspot.batches import LARGEST
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.properties import CONTACT, CONVERSATION, FORMER, NOTE
from chatferry_hubspot.storage import CONTACTS, NOTES, StorageChooser

RecordName: TypeAlias = tuple[str, str]
"""The object that a record is of, and its id."""


def erase_records(
    client: HubSpotClient, chooser: StorageChooser, receipts: Sequence[Receipt]
) -> list[Outcome]:
    """Archive what the receipts name, an outcome each; a record that is gone already is a success.

    Conversations go before contacts, so that an interrupted erasure can still be found.
    """
    named = [(receipt, _records(chooser, receipt)) for receipt in receipts]
    wanted = {record for _, records in named for record in records}
    failed: dict[RecordName, DeliveryError] = {}
    for kind in sorted({kind for kind, _ in wanted}, key=_order):
        failed |= _archive(client, kind, sorted(name for each, name in wanted if each == kind))
    return [_outcome(receipt, (failed.get(record) for record in records)) for receipt, records in named]


def _order(kind: str) -> tuple[bool, bool, str]:
    return kind == CONTACTS, kind != NOTES, kind


def _outcome(receipt: Receipt, errors: Iterable[DeliveryError | None]) -> Outcome:
    return next((error for error in errors if error is not None), receipt)


def _records(chooser: StorageChooser, receipt: Receipt) -> list[RecordName]:
    """Return the records that a receipt names."""
    found: list[RecordName] = []
    if NOTE in receipt.ids:
        found.append((NOTES, receipt.ids[NOTE]))
    elif CONVERSATION in receipt.ids:
        found.append((chooser.custom_object(), receipt.ids[CONVERSATION]))
    if CONTACT in receipt.ids:
        found.append((CONTACTS, receipt.ids[CONTACT]))
    return found + [(CONTACTS, name) for name in receipt.ids.get(FORMER, "").split()]


def _archive(client: HubSpotClient, kind: str, ids: Sequence[str]) -> dict[RecordName, DeliveryError]:
    """Archive records of one object; return those that are still there, and why."""
    errors = isolate(ids, partial(_send, client, kind), size=LARGEST, culprits=_culprits)
    outcomes = zip(ids, errors, strict=True)
    return {(kind, name): error for name, error in outcomes if error is not None and not is_missing(error)}


def _send(client: HubSpotClient, kind: str, ids: Sequence[str]) -> Sequence[None]:
    client.call(Path.ARCHIVE, {"inputs": [{"id": name} for name in ids]}, object=kind)
    return [None] * len(ids)


def _culprits(error: DeliveryError, ids: Sequence[str]) -> Collection[int]:
    named = error.complaint.ids if isinstance(error, Refused) else frozenset()
    return [number for number, name in enumerate(ids) if name in named]
