"""The part of SOQL that connectors and their tests need, read into a query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from chatferry_salesforce.emulator.errors import ApiError

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?(?![\w:-]))"
    r"|(?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?)"
    r"|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A column, an operator, and what it is compared with."""

    column: str
    operator: str
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Conditions that all hold (``AND``), one of which does (``OR``), or a single one that does not."""

    operator: str
    parts: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Combination


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A SELECT."""

    columns: tuple[str, ...]
    counts: bool = False
    kind: str
    where: Condition | None = None
    order: tuple[tuple[str, bool], ...] = ()
    """Columns and whether the greatest comes first."""
    limit: int | None = None
    offset: int = 0


def parse(text: str) -> Query:
    """Read a query.

    :raises ApiError: MALFORMED_QUERY.
    """
    return _Parser(_tokens(text)).query()


def malformed(message: str) -> ApiError:
    """Return the 400 of a query that cannot be read."""
    return ApiError(400, "MALFORMED_QUERY", message)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise malformed(f"unexpected token: '{text[position:].strip()[:1]}'")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = list(tokens)
        self._next = 0

    def query(self) -> Query:
        self._expect("SELECT")
        columns, counts = self._columns()
        self._expect("FROM")
        kind = self._word()
        where = self._any_of() if self._take("WHERE") else None
        order = self._order() if self._take("ORDER") else ()
        limit = self._number() if self._take("LIMIT") else None
        offset = self._number() if self._take("OFFSET") else 0
        if self._next < len(self._tokens):
            raise malformed(f"unexpected token: '{self._tokens[self._next][1]}'")
        return Query(
            columns=columns,
            counts=counts,
            kind=kind,
            where=where,
            order=order,
            limit=limit,
            offset=offset or 0,
        )

    def _columns(self) -> tuple[tuple[str, ...], bool]:
        if self._peek() == "COUNT" and self._peek(1) == "(":
            self._next += 2
            self._expect(")")
            return (), True
        names = [self._word()]
        while self._take(","):
            names.append(self._word())
        return tuple(names), False

    def _any_of(self) -> Condition:
        parts = [self._all_of()]
        while self._take("OR"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Combination(operator="OR", parts=tuple(parts))

    def _all_of(self) -> Condition:
        parts = [self._one()]
        while self._take("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Combination(operator="AND", parts=tuple(parts))

    def _one(self) -> Condition:
        if self._take("NOT"):
            return Combination(operator="NOT", parts=(self._one(),))
        if self._take("("):
            inner = self._any_of()
            self._expect(")")
            return inner
        column = self._word()
        if self._take("NOT"):
            self._expect("IN")
            return Comparison(column=column, operator="NOT IN", value=self._list())
        if self._take("IN"):
            return Comparison(column=column, operator="IN", value=self._list())
        if self._take("LIKE"):
            return Comparison(column=column, operator="LIKE", value=self._value())
        kind, sign = self._advance()
        if kind != "sign" or sign in "(),":
            raise malformed(f"unexpected token: '{sign}'")
        return Comparison(column=column, operator="!=" if sign == "<>" else sign, value=self._value())

    def _list(self) -> tuple[Any, ...]:
        self._expect("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self) -> Any:
        kind, text = self._advance()
        match kind:
            case "text":
                return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
            case "number":
                return float(text) if "." in text else int(text)
            case "moment":
                return text
        words: dict[str, Any] = {"true": True, "false": False, "null": None}
        if text.lower() not in words:
            raise malformed(f"unexpected token: '{text}'")
        return words[text.lower()]

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._expect("BY")
        order = [self._ordered()]
        while self._take(","):
            order.append(self._ordered())
        return tuple(order)

    def _ordered(self) -> tuple[str, bool]:
        column = self._word()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        return column, descending

    def _number(self) -> int:
        kind, text = self._advance()
        if kind != "number" or not text.isdigit():
            raise malformed(f"unexpected token: '{text}'")
        return int(text)

    def _word(self) -> str:
        kind, text = self._advance()
        if kind != "word":
            raise malformed(f"unexpected token: '{text}'")
        return text

    def _peek(self, ahead: int = 0) -> str:
        place = self._next + ahead
        return self._tokens[place][1].upper() if place < len(self._tokens) else ""

    def _take(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._next += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._take(word):
            found = self._peek().lower() or "<EOF>"
            raise malformed(f"unexpected token: '{found}', expecting {word}")

    def _advance(self) -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise malformed("unexpected token: '<EOF>'")
        self._next += 1
        return self._tokens[self._next - 1]
