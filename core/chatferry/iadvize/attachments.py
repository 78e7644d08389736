"""Attachments of messages (cards, files, choices…) as readable text.

The members of each type are those that public clients read; an unknown type is read by the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatferry.iadvize.fitting import ALIAS
from chatferry.model import Attachment
from chatferry.text import storable

_WORDS = ("message", "title", "text", "fileName", "description")
_PRICES = ("promotionPriceText", "offerPriceText", "priceText")
_LINKS = ("url", "productUrl")
_PARTS = ("image", "video", "attachments", "cards", "products", "offers", "productOffers")
_LISTS = ("items", "choices", "actions")
_PLACES = {name: place for place, name in enumerate((*_WORDS, *_PRICES, *_LINKS, *_PARTS, *_LISTS))}
"""The order of the members in the text."""
_NAMES = frozenset(_PLACES)
_DEEPEST = 5


def read_attachments(node: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """Return the attachments of a message; anything else in the list is left out."""
    found = node.get("attachments")
    if found is None:
        found = node.get(f"attachments{ALIAS}{node.get('__typename')}")
    if not found or not isinstance(found, list):
        return ()
    return tuple([_read(each) for each in found if isinstance(each, dict)])


def _read(raw: dict[str, Any]) -> Attachment:
    kind = raw.get("__typename")
    plain = without_aliases(raw)
    text = "\n".join(_lines(plain, 0)) if not _NAMES.isdisjoint(plain) else ""
    return Attachment(kind=kind if isinstance(kind, str) else "Attachment", text=text, raw=plain)


def without_aliases(raw: dict[str, Any]) -> dict[str, Any]:
    """Return ``raw`` with the schema's names in place of the aliases of the request."""
    if "\n".join(raw).count(ALIAS) == ("__typename" in raw):
        return raw
    return {name if name.startswith(ALIAS) else name.partition(ALIAS)[0]: raw[name] for name in raw}


def _lines(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield an attachment's own words, price and link in one or two lines, then those of its parts."""
    words: list[str] = []
    price = link = ""
    parts: list[str] = []
    for name in sorted(_NAMES.intersection(node), key=_PLACES.__getitem__):
        if name in _PARTS or name in _LISTS:
            parts.append(name)
        elif (said := storable(node[name])) and said.strip():
            if name in _WORDS:
                words.append(said)
            elif name in _PRICES:
                price = price or said
            else:
                link = link or said
    yield from words[:-1]
    last = [*words[-1:], price, f"({link})" if link and (words or price) else link]
    if line := " ".join(filter(None, last)):
        yield line
    if depth < _DEEPEST:
        for name in parts:
            yield from _part(node[name], depth + 1, "- " if name in _LISTS else "")


def _part(value: Any, depth: int, bullet: str) -> Iterator[str]:
    for each in value if isinstance(value, list) else (value,):
        if isinstance(each, str):
            yield f"{bullet}{storable(each)}"
        elif isinstance(each, dict):
            for line in _lines(without_aliases(each), depth):
                yield f"{bullet}{line}"
