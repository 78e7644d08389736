"""E-mail addresses: what identifies a person, in a profile and in free text.

Better no address than another person's: where it is not certain where an address begins or ends,
there is none. An address is never what is left of a longer one.
"""

from __future__ import annotations

import re
import unicodedata

_UNSPACED = (
    "\u0590-\u05ff\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff"
    "\u3005\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
)
"""Letters that are written against an address without a blank: Hebrew, Thai, Lao, Burmese, Khmer, Korean,
Japanese and Chinese. Where one meets a Latin letter a word ends."""
_LOCAL = re.compile(rf"(?:[!#$%&'*+=?^`{{|}}~.-]|[^\W{_UNSPACED}]){{1,64}}\Z")
_LABEL = rf"(?:[^\W_{_UNSPACED}](?:[^\W{_UNSPACED}]|-){{0,62}}|[{_UNSPACED}]{{1,40}})"
_DOMAIN = re.compile(
    rf"(?:{_LABEL}\.){{1,8}}(?:xn--[a-z0-9-]{{2,59}}|[a-z]{{2,24}}|[^\W\d_a-z]{{2,24}})", re.IGNORECASE
)
_SENTENCE = re.compile(r"\.[A-Z][a-z]+\Z")
_NEXT_WORD = re.compile(
    r"\.(?:[a-z]{2}|com|net|org)(?P<word>\.(?!(?:com|net|org|edu|gov|info|biz)\Z)[a-z]{3,})\Z", re.IGNORECASE
)
"""What follows a country's ending, or one that nothing follows, and is none itself: "example.fr.merci"."""
_WRAPPED = re.compile(
    r"(?:[^<>@]*<)?\s*(?:e-?mail\s*[:=]|mailto:)?\s*(?P<address>[^<>]*?)\s*>?", re.IGNORECASE
)
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_JOINING = frozenset({"Pd", "Pc", "Mn", "Mc", "Me", "Sm"})
"""The kinds of signs that may stand inside a name: dashes, marks, mathematical signs such as a slash."""
_AROUND = " \t\r\n\"'`()[]{}.,;:“”„«»‹›‘’"  # noqa: RUF001  (the signs that people type)
_AT = re.compile("[@\uff20\ufe6b]")
_TRIES = 20
"""Addresses that are read from one message, at most."""
_LONGEST = 254


def usable_email(text: str | None) -> str | None:
    """Return the one address that a field holds, in lower case; None for "n/a" and for what is in doubt.

    As a key a filler would merge many visitors into one contact, and half an address two people.
    Spellings of one address give one result: full-width or composed letters, invisible marks, a
    domain in Punycode, ``<>`` or ``mailto:`` around it, punctuation behind it.
    """
    if not text or not may_hold_email(text):
        return None
    wrapped = _WRAPPED.fullmatch(plain(text).strip(_AROUND))
    address = wrapped["address"].strip(_AROUND) if wrapped else ""
    valid = valid_email(address) if written_in(address) == [address] else None
    return valid.lower() if valid else None


def may_hold_email(text: str) -> bool:
    """Whether a text has an ``@`` in some form: a fast check."""
    return _AT.search(text) is not None


def written_in(text: str) -> list[str]:
    """Return what looks like an address, in order, without the punctuation and markdown around it.

    Works outward from each ``@``, so a text of any length is read once.
    """
    text = plain(text)
    written: dict[str, None] = {}
    at = text.find("@")
    while at >= 0 and len(written) < _TRIES:
        address = _around(text, at)
        if address and not _in_url(text, at):
            written[address] = None
        at = text.find("@", at + 1)
    return list(written)


def valid_email(address: str) -> str | None:
    """Return the address normalised if its syntax is valid; nothing is looked up."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  (few conversations need it)

    if len(address) > _LONGEST:
        return None
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def plain(text: str) -> str:
    """Return a text in its compatible composed form (NFKC), without invisible marks and escapes."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.replace("\u3002", "."))
        text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return _ESCAPE.sub("", text) if "\\" in text else text


def _around(text: str, at: int) -> str | None:
    """Return the address around an ``@``, None if it is in doubt where it begins or ends."""
    domain = _DOMAIN.match(text, at + 1)
    local = _LOCAL.search(text[max(0, at - 65) : at])
    if not domain or not local or not _ends(text, domain.end()):
        return None
    before = text[at - len(local[0]) - 1 : at - len(local[0])]
    if _continues(before):
        return None
    name = _local(local[0], text[domain.end() : domain.end() + 1])
    return f"{name}@{_host(domain[0])}" if name and not _is_mixed(name) else None


def _ends(text: str, end: int) -> bool:
    """Whether a domain can end here: no letter, digit or further ``@`` goes on with it."""
    after = text[end : end + 1]
    return after != "@" and (
        not (after.isalnum() or _is_mark(after)) or re.match(rf"[{_UNSPACED}]", after) is not None
    )


def _continues(before: str) -> bool:
    """Whether the character before a local part may belong to it: a letter, a mark, a dash, an ``@``."""
    if not before or before in "<>" or re.match(rf"[{_UNSPACED}]", before):
        return False
    return before.isalnum() or before in "@\\/" or unicodedata.category(before) in _JOINING


def _is_mark(sign: str) -> bool:
    return bool(sign) and unicodedata.category(sign).startswith("M")


def _local(written: str, after: str) -> str:
    """Return a local part without what leads to it ("email=") and markdown; empty if nothing is left."""
    local = written.rpartition("=")[2].lstrip("*'`.!?-|{}~#&").rstrip(".")
    return local.lstrip("_") if after == "_" else local


def _is_mixed(name: str) -> bool:
    """Whether it mixes two scripts: a word is glued to it, or a letter looks like another one."""
    if name.isascii():
        return False
    foreign = [sign for sign in name if sign.isalpha() and not unicodedata.name(sign, "").startswith("LATIN")]
    return bool(foreign) and len(foreign) < sum(map(str.isalpha, name))


def _host(domain: str) -> str:
    """Return a domain without the next sentence: "example.org.Thanks", "example.fr.merci"."""
    sentence = _SENTENCE.search(domain)
    if sentence and "." in domain[: sentence.start()]:
        return domain[: sentence.start()]
    word = _NEXT_WORD.search(domain)
    return domain[: word.start("word")] if word else domain


def _in_url(text: str, at: int) -> bool:
    words = text[max(0, at - 200) : at].split()
    return bool(words) and "://" in words[-1]
