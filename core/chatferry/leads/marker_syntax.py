r"""The invisible marker ``[](Qn)`` in front of a question: how it is found and removed.

iAdvize docs, "Get leads into my CRM": n is unique in the conversation and the marker does not show
on the visitor's side. The text comes back as raw markdown, so bots, agents and channels leave it in
several forms; ``[ ](Q1)``, ``[](q01)``, ``[] (Q1)`` and ``\[\](Q1)`` all mean ``Q1``.
"""

from __future__ import annotations

import re

_GAP = r"[\s\u200b-\u200d\u2060\ufeff]*+"
# Possessive, so that a long run of blanks is read once.
_MARKER = re.compile(
    rf"\\?\[{_GAP}\\?\]{_GAP}\\?\({_GAP}[Qq]{_GAP}([0-9]{{1,9}}){_GAP}\\?\)(?P<blank>[ \t\u00a0]*+)"
)
_WORD = re.compile(r"\w")
_PASSES = 4


def normalise(name: str) -> str | None:
    """Return ``Q1`` for ``q01`` and the like, None for what names no question."""
    found = re.fullmatch(r"\s*[Qq]\s*([0-9]{1,9})\s*", name)
    return f"Q{int(found[1])}" if found else None


def find(text: str) -> list[tuple[str, str]]:
    """Return the name and the readable text of each marked question, in order.

    The question is what follows its marker, up to the next one; where nothing readable follows,
    what stands before it.
    """
    first = text.find("[")
    if first < 0:
        return []
    matches = list(_MARKER.finditer(text, max(first - 1, 0)))
    questions = []
    start = 0
    for number, match in enumerate(matches, start=1):
        end = matches[number].start() if number < len(matches) else len(text)
        behind = strip(text[match.end() : end])
        readable = behind if _WORD.search(behind) else strip(text[start:end])
        questions.append((f"Q{int(match[1])}", readable))
        start = match.end()
    return questions


def strip(text: str) -> str:
    """Return the text without any marker, and without blanks around it."""
    for _ in range(_PASSES):
        if "]" not in text:
            return text.strip()
        text, removed = _MARKER.subn(_leave, text)
        if not removed:
            return text.strip()
    # Markers nested this deeply are an attack: without brackets there are none.
    return text.replace("[", "").strip()


def _leave(match: re.Match[str]) -> str:
    """Keep one blank between two words that a marker separated."""
    before = match.string[match.start() - 1] if match.start() else ""
    return " " if match["blank"] and before and not before.isspace() else ""
