"""Convert values to cells and cells to lines of CSV, and back. No file access."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

LINE_END = "\r\n"
_LARGEST_CELL = 2**31 - 1

# What a spreadsheet takes for the beginning of a formula, the full-width forms included, and what
# may stand before it: spaces are skipped by some, the apostrophe is the mark of ``defuse``.
_FORMULA = re.compile(r"[ \u00a0]*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001  (the look-alikes are meant)
_DEFUSED = re.compile(r"'+[ \u00a0]*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001  (the same)
SUSPECT = frozenset("=+-@\t\r\n＝＋－＠ \u00a0'\0")  # noqa: RUF001  (the same)
# A signed number, or a telephone number with its country's code: no operator, nothing to run.
_SIGNED_NUMBER = re.compile(r"[+-][0-9]+(?:[ .,\u00a0][0-9]+)*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Remove NUL characters and replace lone surrogates, which no CSV file can hold."""
    text = text.replace("\0", "")
    try:
        text.encode()  # many times faster than a search for what is almost never there
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def defuse(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; signed numbers are left alone."""
    if not text or text[0] not in SUSPECT:
        return text
    text = text.replace("\0", "")
    if _DEFUSED.match(text) or (_FORMULA.match(text) and not _SIGNED_NUMBER.fullmatch(text)):
        return f"'{text}"
    return text


def undefuse(text: str) -> str:
    """Remove the apostrophe of :func:`defuse`: its exact inverse for text without NUL."""
    return text[1:] if _DEFUSED.match(text) else text


def _plain(value: object) -> str:
    """Write a value that is not text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)  # a number: nothing a spreadsheet would run


class _Lines(list[str]):
    """What a csv writer writes to: each row becomes one item, without a copy of the others."""

    write = list.append


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a file is written. ``delimiter`` and ``encoding`` hold for all of it, the rest for new cells."""

    delimiter: str = ","
    encoding: str = "utf-8"
    formulas: str = "defuse"
    line_breaks: str = "keep"

    @property
    def mark(self) -> bytes:
        """The byte order mark, if the encoding has one."""
        return b"\xef\xbb\xbf" if self.encoding == "utf-8-sig" else b""

    @property
    def unicode(self) -> bool:
        """Whether the encoding holds every character."""
        return self.encoding in {"utf-8", "utf-8-sig"}

    def cell(self, value: object) -> str:
        """Write a value as the text of a cell."""
        if not isinstance(value, str):
            return _plain(value)
        if self.line_breaks == "flatten" and ("\n" in value or "\r" in value):
            value = _LINE_BREAK.sub(" ", value)
        return defuse(value) if self.formulas == "defuse" else value

    def writable(self, text: str) -> str:
        r"""Return ``text`` as it reads once it was written: what the encoding lacks as ``\u1234``."""
        if text.isascii():
            return text.replace("\0", "")
        text = clean(text)
        if self.unicode:
            return text
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def lines(self, rows: Iterable[Sequence[str]]) -> list[str]:
        """Write rows, each with its line end, exactly as they will read."""
        lines = _Lines()
        csv.writer(lines, delimiter=self.delimiter, lineterminator=LINE_END).writerows(rows)
        whole = "".join(lines)
        if "\0" not in whole and (whole.isascii() or self.can_encode(whole)):
            return lines  # the common case: one check of all lines instead of one each
        return [self.writable(line) for line in lines]

    def can_encode(self, text: str) -> bool:
        """Tell whether the encoding has all characters of ``text``."""
        try:
            self.encode(text)
        except UnicodeEncodeError:
            return False
        return True

    def cells(self, line: str) -> list[str]:
        """Read one line that :meth:`lines` wrote, with or without its line end."""
        allow_large_cells()
        return next(csv.reader((line,), delimiter=self.delimiter), [""])

    def encode(self, text: str) -> bytes:
        """Return the bytes of what :meth:`lines` wrote."""
        return text.encode("utf-8" if self.unicode else self.encoding)


def allow_large_cells() -> None:
    """Let the csv module read what it writes: by itself it refuses a cell above 131,072 characters."""
    if csv.field_size_limit() < _LARGEST_CELL:
        csv.field_size_limit(_LARGEST_CELL)
