"""Telephone numbers in free text, as against order numbers, prices, dates and bank accounts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from chatferry.model import Conversation

_RUN = re.compile(
    r"(?<![\w+@])(?:\+\s?|\(\+?)?[0-9](?:[0-9]|[ \u00a0\u202f().\-/]{1,3}(?=[0-9(])){5,30}+(?![\w@])"
)
_DIGITS = re.compile(r"\d(?:[^\dA-Za-z]{0,3}\d){6}")
_FEW, _MANY = 7, 15
"""The digits of a telephone number (ITU E.164)."""
_TRIES = 20

_WORDS = re.compile(r"(\s+)")

_NOT_NUMBERS = re.compile(
    r"\b[A-Z]{2}[0-9]{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,3})?\b"  # a bank account (IBAN)
    r"|(?<![0-9./\-])[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}"  # a date, perhaps with the time
    r"(?:[ T]+(?:[a-zà]{1,3} )?[0-9]{1,2} ?[:h][0-9]{0,2}(?::[0-9]{2})?)?(?![-/.]?[0-9])"
    r"|(?:[€$£]|\bEUR|\bUSD|\bCHF|\bGBP)\s?[0-9][0-9 .,\u00a0\u202f]{0,20}"
    r"|[0-9][0-9 .,\u00a0\u202f]{0,20}(?:[€$£]|(?:EUR|USD|CHF|GBP|euros?|dollars?|km|kg)\b)"
)
_PHONE_WORDS = re.compile(
    r"\b(?:phone|call|mobile|cell|reach me|ring|whatsapp|sms|t[ée]l|appel|rappel|joindre|joignable|portable"
    r"|handy|anruf|ruf|m[óo]vil|ll[aá]m|chiam|cellulare|bellen|bereik)",
    re.IGNORECASE,
)
_OTHER_WORDS = re.compile(
    r"\b(?:order|commande|bestell|pedido|ordine|r[ée]f|referen[cz]|invoice|facture|rechnung|fattura"
    r"|dossier|ticket|contra[ct]t?|vertrag|serial|s[ée]rie|tracking|suivi|colis|parcel|paket|iban|bic|siret"
    r"|siren|vat|tva|account|compte|konto|card|carte|karte|policy|police|booking|r[ée]servation"
    r"|customer n|client n|num[ée]ro (?:de )?client|kundennummer|article|artikel|sku|ean|isbn|imei|vin)",
    re.IGNORECASE,
)
_COUNTRIES = {
    "ca": "ES", "cs": "CZ", "da": "DK", "de": "DE", "el": "GR", "en": "GB", "es": "ES", "et": "EE",
    "fi": "FI", "fr": "FR", "hu": "HU", "it": "IT", "ja": "JP", "ko": "KR", "nb": "NO", "no": "NO",
    "nl": "NL", "pl": "PL", "pt": "PT", "ro": "RO", "sv": "SE", "th": "TH", "tr": "TR", "zh": "CN",
}  # fmt: skip
"""The one country that a chat in a language is from, if it does not say; never its neighbours."""
_DASHES = re.compile("[\u2010-\u2015\u2212\uff0d]")
_FEWEST = 6
"""Digits of the shortest telephone number; a profile with fewer holds a filler such as "0"."""


def usable_phone(text: str | None) -> str | None:
    """Return the number that a profile's field holds, as it is written; None for "n/a", "0" and the like."""
    digits = [sign for sign in text or "" if sign.isdecimal()]
    return text.strip() if text and len(digits) >= _FEWEST and len(set(digits)) > 1 else None


def may_hold_number(text: str) -> bool:
    """Whether a text has digits enough for a number; a fast check."""
    return _DIGITS.search(text) is not None


def region_of(conversation: Conversation) -> tuple[str, ...]:
    """Return the country whose national numbers are understood: the visitor's, else the chat's; or none.

    One alone: a number with a digit forgotten is often a valid one in the country next door.
    """
    country = (conversation.visitor.country or "").strip().upper()
    language, _, variant = (conversation.language or "").replace("-", "_").partition("_")
    likely = (country, variant.upper(), _COUNTRIES.get(language.lower(), ""))
    return next(((code,) for code in likely if len(code) == 2 and code.isalpha()), ())  # noqa: PLR2004  (ISO 3166)


def numbers_in(text: str, *, before: str, regions: Sequence[str]) -> Iterator[str]:
    """Return the numbers of a visitor's message in the international form.

    The words in front of a number decide whether it is one; without any, the question ``before`` it.
    A run of bare digits needs a word about telephones in one of the two.
    """
    text = text if text.isascii() else _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    words = (
        " " if "@" in word or "://" in word or word.startswith("www.") else word
        for word in _WORDS.split(text)
    )
    plain = _NOT_NUMBERS.sub(" ", "".join(words))
    asked = _about(before)
    for tries, run in enumerate(_RUN.finditer(plain)):
        if tries == _TRIES:
            return
        about = _about(plain[max(0, run.start() - 60) : run.start()]) or asked
        if about == "other" or not (about == "phone" or _shaped(run[0])):
            continue
        if number := _valid(run[0], regions):
            yield number


def _about(words: str) -> str | None:
    """Return whether the words announce a "phone" number or an "other" one; the nearest word wins."""
    phone = max((match.start() for match in _PHONE_WORDS.finditer(words)), default=-1)
    other = max((match.start() for match in _OTHER_WORDS.finditer(words)), default=-1)
    if phone == other:
        return None
    return "phone" if phone > other else "other"


def _shaped(run: str) -> bool:
    """Whether digits are written like a telephone number: with + or 0 in front, or in groups."""
    return run.startswith(("+", "0", "(")) or len(re.findall(r"[0-9]+", run)) > 2  # noqa: PLR2004  (groups)


def _valid(run: str, regions: Sequence[str]) -> str | None:
    digits = re.sub(r"[^0-9]", "", run)
    if not _FEW <= len(digits) <= _MANY + 2:
        return None
    import phonenumbers  # noqa: PLC0415  (its tables are loaded only where a number may stand)

    for region in (None,) if run.startswith("+") else regions or (None,):
        try:
            number = phonenumbers.parse(run, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None
