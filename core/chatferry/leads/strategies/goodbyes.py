"""Words that take leave, in nine languages."""

from __future__ import annotations

import re
import unicodedata

_END = 500
"""Characters at the end of a message that are looked at."""
_PHRASES = (
    r"\bgood ?bye\b|\bbye\b|\b(?:nice|good|great|lovely) (?:day|evening|weekend)\b",
    r"\bau revoir\b|\b(?:bonne|belle|excellente) (?:journée|soirée|fin de)\b|\bà bientôt\b",
    r"\btschüss\b|\bauf wiedersehen\b|\bschönen (?:tag|abend)\b",
    r"\badiós\b|\bhasta (?:luego|pronto)\b|\bun buen día\b|\bfeliz día\b",
    r"\barrivederci\b|\bbuona (?:giornata|serata)\b",
    r"\btot ziens\b|\b(?:fijne|prettige) (?:dag|avond)\b",
    r"\badeus\b|\baté (?:logo|breve)\b|\b(?:um|uma) (?:bom dia|boa tarde|boa noite)\b",
    "مع السلامة|يومًا سعيدًا|إلى اللقاء",
    "良い一日|失礼(?:いた)?します|さようなら",
)


def _plain(text: str) -> str:
    """Return a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if unicodedata.category(character) != "Mn")


_GOODBYE = re.compile(_plain("|".join(_PHRASES)))


def says_goodbye(text: str) -> bool:
    """Return whether a message ends a talk.

    Known are English, French, German, Spanish, Italian, Dutch, Portuguese, Arabic and Japanese, in any case
    and with or without accents.
    """
    return _GOODBYE.search(_plain(text[-_END:])) is not None
