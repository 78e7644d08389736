"""A lead as bytes for the ledger, and back: compressed MessagePack, dates included.

The fingerprint covers what the destination would get and nothing else, so that a change the
mapping does not use queues nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import lz4.block
import msgspec

from chatferry.errors import ChatferryError
from chatferry.model import Lead, Receipt

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
_DECODER: Final = msgspec.msgpack.Decoder(Lead)
_DAMAGED: Final = (lz4.block.LZ4BlockError, ValueError, MemoryError, msgspec.DecodeError)


class SnapshotUnreadable(ChatferryError):
    """A lead's content is not in the ledger any more, or not in one piece."""


def fingerprint(lead: Lead) -> str:
    """Return what tells this lead's content from another's: 64 hexadecimal digits."""
    content = _encode((lead.contact_key, lead.records))
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def dump_lead(lead: Lead) -> bytes:
    """Return a lead as bytes, without the receipt and iAdvize's raw answer.

    What no database can hold is replaced: half a character by a question mark, an integer of more
    than 64 bits by its digits.
    """
    bare = replace(lead, receipt=None, conversation=replace(lead.conversation, raw={}))
    compressed: bytes = lz4.block.compress(_encode(bare))
    return compressed


def load_lead(snapshot: bytes | None, receipt: Receipt | None = None) -> Lead:
    """Return the lead a snapshot was made of, with what the CRM said of it before.

    :raises SnapshotUnreadable: if it was pruned, or is not what :func:`dump_lead` wrote.
    """
    if snapshot is None:
        raise SnapshotUnreadable("its content was pruned; have it read again: chatferry retry --resync")
    try:
        lead = _DECODER.decode(lz4.block.decompress(snapshot))
    except _DAMAGED as error:
        message = f"its content in the ledger is damaged ({type(error).__name__}); have it read again"
        raise SnapshotUnreadable(message) from None
    return replace(lead, receipt=receipt) if receipt else lead


def dump_receipt(receipt: Receipt) -> str:
    """Return a receipt as JSON."""
    return msgspec.json.encode(receipt).decode()


def load_receipt(text: str | None) -> Receipt | None:
    """Return the receipt of :func:`dump_receipt`; None for none.

    :raises SnapshotUnreadable: if it is no such receipt.
    """
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Receipt)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        message = f"what the CRM said of it before is damaged in the ledger ({type(error).__name__})"
        raise SnapshotUnreadable(message) from None


def _encode(value: object) -> bytes:
    try:
        return _ENCODER.encode(value)
    except (OverflowError, UnicodeEncodeError):
        return _ENCODER.encode(_storable(msgspec.to_builtins(value, builtin_types=(datetime,))))


def _storable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case int() if not -(2**63) <= value < 2**64:
            return str(value)
        case dict():
            return {_storable(key): _storable(each) for key, each in value.items()}
        case list() | tuple():
            return [_storable(each) for each in value]
        case _:
            return value
