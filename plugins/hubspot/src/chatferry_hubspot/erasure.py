"""Removing the records of earlier deliveries, by their ids and never by an address."""

from __future__ import annotations

from collections.abc import Sequence

from chatferry import DeliveryError, Outcome, Receipt
from chatferry_hubspot.answers import Refused
from chatferry_hubspot.batches import LARGEST
from chatferry_hubspot.client import Client
from chatferry_hubspot.fields import CONTACT, CONVERSATION, FORMER, NOTE
from chatferry_hubspot.paths import Path
from chatferry_hubspot.replies import is_missing
from chatferry_hubspot.storage import CONTACTS, NOTES, Chooser


def erase_records(client: Client, chooser: Chooser, receipts: Sequence[Receipt]) -> list[Outcome]:
    """Archive what the receipts name, an outcome each; a record that is gone already is a success.

    What was said goes before who said it, so that an interrupted erasure can still be found.
    """
    failed: dict[tuple[str, str], DeliveryError] = {}
    named = [_records(chooser, receipt) for receipt in receipts]
    for place in (NOTES, None, CONTACTS):
        wanted = {pair for pairs in named for pair in pairs if _is_at(pair[0], place)}
        for kind in sorted({kind for kind, _ in wanted}):
            ids = sorted(name for k, name in wanted if k == kind)
            for start in range(0, len(ids), LARGEST):
                failed.update(_archive(client, kind, ids[start : start + LARGEST]))
    return [
        next((failed[pair] for pair in pairs if pair in failed), receipt)
        for receipt, pairs in zip(receipts, named, strict=True)
    ]


def _is_at(kind: str, place: str | None) -> bool:
    return kind == place if place else kind not in {NOTES, CONTACTS}


def _records(chooser: Chooser, receipt: Receipt) -> list[tuple[str, str]]:
    """Return where each record of a receipt is, and its id."""
    found: list[tuple[str, str]] = []
    if NOTE in receipt.ids:
        found.append((NOTES, receipt.ids[NOTE]))
    elif CONVERSATION in receipt.ids:
        found.append((chooser.custom_object(), receipt.ids[CONVERSATION]))
    if CONTACT in receipt.ids:
        found.append((CONTACTS, receipt.ids[CONTACT]))
    found += [(CONTACTS, name) for name in receipt.ids.get(FORMER, "").split()]
    return found


def _archive(client: Client, kind: str, ids: Sequence[str]) -> dict[tuple[str, str], DeliveryError]:
    """Archive records of one object; if HubSpot refuses the call, one by one."""
    payload = {"inputs": [{"id": name} for name in ids]}
    try:
        client.call(Path.ARCHIVE, payload, object=kind)
    except Refused as error:
        if len(ids) > 1:
            return {pair: e for name in ids for pair, e in _archive(client, kind, [name]).items()}
        return {} if is_missing(error) else {(kind, ids[0]): error}
    except DeliveryError as error:
        return {(kind, name): error for name in ids}
    return {}
