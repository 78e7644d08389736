"""Cleaning texts from elsewhere: what can be stored anywhere, and what can be shown to people.

One place for all of it, for connectors too: a visitor may type anything, and a connector's error may
hold anything.
"""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 controls, and the marks that turn the direction of what follows them, our own text included."""


def storable(value: object) -> str | None:
    """Return a text that can be encoded and stored anywhere, or None if ``value`` is no text.

    NUL characters are dropped, lone surrogates become replacement characters: no CRM and no database
    takes either.
    """
    if not isinstance(value, str):
        return None
    if "\0" in value:
        return storable(value.replace("\0", ""))
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def printable(text: str) -> str:
    """Return the text with plain line ends, without control and direction characters, tabs kept."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", _LINE_END.sub("\n", text))
