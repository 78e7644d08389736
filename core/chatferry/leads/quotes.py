"""What a visitor quotes of earlier messages, as e-mail programs and markdown do, is not their own words."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"^[ \t]*>.*(?:\n|\Z)", re.MULTILINE)
_HEADING = re.compile(
    r"^[ \t]*(?:On|Le|Am|El|Il|Op|Em)\b.{5,120}"
    r"(?:wrote|a écrit|schrieb|escribió|ha scritto|schreef|escreveu)[^\n]{0,80}:[ \t]*\n+(?=[ \t]*>)",
    re.MULTILINE,
)
"""The line that programs put before a quotation: "On Monday Ada wrote:"."""


def own_words(text: str) -> str:
    """Return a message without the lines it quotes; empty if there are no others."""
    if ">" not in text:
        return text
    return _QUOTED.sub("", _HEADING.sub("", text)).strip()
