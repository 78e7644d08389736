"""E-mail addresses: which can identify a person, and how they are found in free text."""

from __future__ import annotations

import re

_LOCAL = re.compile(r"[\w.!#$%&'*+=?^{|}~-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[^\W_][\w-]{0,62}\.){1,8}[^\W_]{2,24}")
_SENTENCE = re.compile(r"\.[A-Z][a-z]+\Z")
_TRIES = 20
"""Addresses that are read from one message, at most."""
_USABLE = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_LONGEST = 254


def usable_email(text: str | None) -> str | None:
    """Return an address trimmed and in lower case; None for "n/a" and other fillers.

    Agents type such fillers into profiles. As a key they would merge many visitors into one contact.
    """
    if not text:
        return None
    email = text.strip().lower()
    return email if len(email) <= _LONGEST and _USABLE.fullmatch(email) else None


def written_in(text: str) -> list[str]:
    """Return what looks like an address, in order, without the punctuation and markdown around it.

    Works outward from each ``@``, so a text of any length is read once.
    """
    written: dict[str, None] = {}
    at = text.find("@")
    while at >= 0 and len(written) < _TRIES:
        if (domain := _DOMAIN.match(text, at + 1)) and (local := _LOCAL.search(text[max(0, at - 64) : at])):
            address = _trimmed(local[0], domain[0], text[domain.end() : domain.end() + 1])
            if address and not _in_url(text, at):
                written[address] = None
        at = text.find("@", at + 1)
    return list(written)


def valid_email(address: str) -> str | None:
    """Return the address normalised if its syntax is valid; nothing is looked up."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  (few conversations need it)

    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _trimmed(local: str, domain: str, after: str) -> str | None:
    # "jane@example.org.Thanks" is an address and the next sentence.
    sentence = _SENTENCE.search(domain)
    if sentence and "." in domain[: sentence.start()]:
        domain = domain[: sentence.start()]
    local = local.lstrip("*'.!?=-|{}~#&").rstrip(".")
    if after == "_":
        local = local.lstrip("_")
    return f"{local}@{domain}" if local else None


def _in_url(text: str, at: int) -> bool:
    words = text[max(0, at - 200) : at].split()
    return bool(words) and "://" in words[-1]
