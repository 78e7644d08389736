"""The transcript of a conversation as plain text, and how it is cut to fit a field of a CRM.

Every message starts at the left margin and its further lines are indented, so that no text can be
mistaken for the start of another message, and a transcript can be cut between two messages.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from chatferry.leads.marker_syntax import strip
from chatferry.model import AuthorKind, Conversation, Message
from chatferry.text import printable

LABELS: Mapping[AuthorKind, str] = {
    AuthorKind.VISITOR: "Visitor",
    AuthorKind.AGENT: "Agent",
    AuthorKind.BOT: "Bot",
    AuthorKind.SYSTEM: "System",
}

_START = re.compile(r"^\[\d\d:\d\d\] ", re.MULTILINE)
_NOTE = "\n[… cut here: {left} more of {total} messages, see iAdvize]"
_BARE_NOTE = " [… cut]"
_EMPTY, _WORTH_CUTTING = 0.1, 200
"""The share of the room that a cut between two messages may leave empty, and the least it may."""


def readable(message: Message) -> str:
    """Return the text of a message, attachments included, without markers and control characters."""
    return readable_text("\n".join(message.texts) if message.attachments else message.text)


def readable_text(text: str) -> str:
    """Return the text without markers and control characters, which might hide a marker."""
    return strip(printable(text))


def spoken(conversation: Conversation, *, system: bool = True) -> list[tuple[Message, str]]:
    """Return the messages that have a readable text, each with its text.

    :param system: whether automatic texts and events are included.
    """
    return [
        (message, text)
        for message in conversation.messages
        if (system or message.author.kind is not AuthorKind.SYSTEM) and (text := readable(message))
    ]


def render(
    spoken: Sequence[tuple[Message, str]],
    *,
    zone: tzinfo = UTC,
    labels: Mapping[AuthorKind, str] = LABELS,
    names: bool = False,
) -> str:
    """Return the transcript of these messages, a line each: ``[09:14] Visitor: Hello``.

    Where they are of several days, a line with the date stands before the messages of each.

    :param zone: the time zone of the times.
    :param labels: the name of each kind of author; a kind left out keeps its English label.
    :param names: whether agents and bots have the name that the visitor saw.
    """
    labels = {**LABELS, **labels}
    times = [_local(message.at, zone) for message, _ in spoken]
    dated = bool(times) and times[0].date() != times[-1].date()
    lines: list[str] = []
    day = None
    for at, (message, text) in zip(times, spoken, strict=True):
        if dated and at.date() != day:
            day = at.date()
            lines.append(day.isoformat())
        name = (names and _one_line(message.author.name)) or labels[message.author.kind]
        lines.append(f"[{at.hour:02}:{at.minute:02}] {name}: {_indented(text)}")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A text that was cut, and how many of its messages it kept; ``total`` is 0 if it is no transcript."""

    text: str = field(repr=False)
    kept: int = 0
    total: int = 0


def cut(text: str, limit: int, size: Callable[[str], int] = len) -> Cut | None:
    """Return a text that fits into ``limit``, or None if it fits as it is.

    The cut falls between two messages and says how many are missing; inside a message only where
    more than a tenth of the room would be left empty, or where the text is no transcript.

    :param size: measures a text as the CRM does, in bytes for instance.
    """
    if size(text) <= limit:
        return None
    starts = [match.start() for match in _START.finditer(text)]
    total = len(starts)
    room = limit - size(_NOTE.format(left=total, total=total))
    border = _border(text, _longest(text, room, size))
    if border > 0 and room - size(text[:border]) > max(room * _EMPTY, _WORTH_CUTTING):
        border = 0
    end = border or _longest(text, room - size(_BARE_NOTE), size)
    kept = bisect_left(starts, end)
    if not kept or end <= 0:
        return Cut(text=_chopped(text, limit, size))
    shortened = text[:end].rstrip() + ("" if border else _BARE_NOTE)
    note = _NOTE.format(left=total - kept, total=total) if kept < total else ""
    return Cut(text=shortened + note, kept=kept, total=total)


def _border(text: str, end: int) -> int:
    """Return where the last line of a message ends before ``end``, -1 if none does."""
    border = text.rfind("\n", 0, end + 1)
    while border > 0 and text[border + 1 : border + 2].isspace():
        border = text.rfind("\n", 0, border)
    return border


def _longest(text: str, room: int, size: Callable[[str], int]) -> int:
    """Return how many characters of the text fit into ``room``."""
    longest = min(len(text), max(room, 0))
    return bisect_right(range(1, longest + 1), room, key=lambda length: size(text[:length]))


def _chopped(text: str, limit: int, size: Callable[[str], int]) -> str:
    room = limit - size(_BARE_NOTE)
    if room <= 0:
        return text[: _longest(text, limit, size)]
    return text[: _longest(text, room, size)].rstrip() + _BARE_NOTE


def _indented(text: str) -> str:
    if text.isprintable():
        return text
    return "\n  ".join(line.rstrip() for line in text.splitlines() if line.strip())


def _local(at: datetime, zone: tzinfo) -> datetime:
    if at.tzinfo is zone or at.tzinfo is None:
        return at
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def _one_line(name: str | None) -> str:
    return " ".join((name or "").split())
