"""Bounds of what an expression may compute: neither a typo nor a visitor's words take memory or time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

LARGEST_TEXT: Final = 1_000_000
"""Characters of a text, or items of a list: more than any CRM's field holds."""
LARGEST_NUMBER: Final = 1024
"""Bits of a number: more than any CRM's field holds."""
_WIDTH = re.compile(r"%[^%a-zA-Z]*?(?:\*|\d{5,})")


class TooLarge(ValueError):
    """An expression's result would be larger than any field."""


def require(size: int, most: int = LARGEST_TEXT) -> None:
    """Check a size before anything of it is made.

    :raises TooLarge: if it is above ``most``.
    """
    if size > most:
        raise TooLarge("the result would be too large for any field")


def check_operator(operator: str, left: Any, right: Any) -> None:
    """Check an operation before it is carried out.

    :raises TooLarge: if its result would be too large.
    """
    match operator:
        case "**":
            if isinstance(left, int) and isinstance(right, int) and abs(left) > 1:
                require(left.bit_length() * max(right, 0), LARGEST_NUMBER)
        case "*":
            _check_product(left, right)
        case "+":
            if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
                require(len(left) + len(right))
        case "%":
            if isinstance(left, str) and _WIDTH.search(left):
                raise TooLarge("a width of more than four digits, or one that is computed")


def _check_product(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        require(left.bit_length() + right.bit_length(), LARGEST_NUMBER)
        return
    for many, times in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple) and isinstance(times, int):
            require(len(many) * max(times, 0))


def check_method(text: str, name: str, arguments: Sequence[Any]) -> None:
    """Check the call of a text's method before it is made.

    :raises TooLarge: if its result would be too large.
    """
    check = _METHODS.get(name)
    if check is not None:
        check(text, *arguments)


def check_replace(text: str, old: str, new: str, *_: Any) -> None:
    """Check a replacement.

    :raises TooLarge: if its result would be too large.
    """
    found = text.count(old) if old else len(text) + 1
    require(len(text) + found * max(len(new) - len(old), 0))


def check_join(separator: str, items: Sequence[Any]) -> None:
    """Check that joined items are no larger than a text may be.

    :raises TooLarge: if they are.
    """
    require(len(separator) * len(items) + sum(len(str(item)) for item in items))


def _check_width(_text: str, width: Any = 0, *_: Any) -> None:
    require(int(width))


def _check_tabs(text: str, size: Any = 8) -> None:
    require(len(text) + text.count("\t") * int(size))


_METHODS: Mapping[str, Callable[..., None]] = {
    "center": _check_width,
    "ljust": _check_width,
    "rjust": _check_width,
    "zfill": _check_width,
    "expandtabs": _check_tabs,
    "replace": check_replace,
    "join": check_join,
}
