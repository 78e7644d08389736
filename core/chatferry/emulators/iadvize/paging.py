"""Relay pages: at most 100 items, forwards or backwards (iAdvize docs, "Pagination")."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError

PAGE_LIMIT = 100


def cursor_of(key: str) -> str:
    """Return the opaque cursor of an item."""
    return base64.b64encode(key.encode()).decode()


def page(
    keys: Sequence[str],
    node: Callable[[int], Any],
    *,
    first: int | None = None,
    last: int | None = None,
    before: str | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    """Return one page of a connection over items with these keys, which are in order.

    :raises GraphQLError: for a page over the limit or a cursor of something else.
    """
    _check(first, last)
    start = _position(keys, after) + 1 if after else 0
    end = _position(keys, before) if before else len(keys)
    if last is not None and first is None:
        low, high = max(start, end - last), end
    else:
        low, high = start, min(end, start + (PAGE_LIMIT if first is None else first))
    high = max(low, high)
    edges = [{"cursor": cursor_of(keys[place]), "node": node(place)} for place in range(low, high)]
    return {"edges": edges, "pageInfo": _page_info(edges, low=low, high=high, total=len(keys))}


def circular_page(keys: Sequence[str], node: Callable[[int], Any], **window: Any) -> dict[str, Any]:
    """Return a page as :func:`page` does, but the last one leads on to the second again."""
    found = page(keys, node, **window)
    size = _size(window)
    return _leading_on(found, cursor_of(keys[min(size, len(keys)) - 1])) if keys and size else found


def endless_page(keys: Sequence[str], node: Callable[[int], Any], **window: Any) -> dict[str, Any]:
    """Return a page as :func:`page` does, but after the last one it comes again, always by a new cursor."""
    size = _size(window)
    _, again, times = _decoded(window.get("after") or "").partition(_AGAIN)
    if again:
        before = (len(keys) - 1) // size * size
        window = {**window, "after": cursor_of(keys[before - 1]) if before else None}
    found = page(keys, node, **window)
    if not keys or not size:
        return found
    return _leading_on(found, cursor_of(f"{keys[-1]}{_AGAIN}{int(times or 0) + 1}"))


_AGAIN = "#"
"""Before the number of times that a last page was given."""


def _size(window: Mapping[str, Any]) -> int:
    first = window.get("first")
    return PAGE_LIMIT if first is None else int(first)


def _leading_on(found: dict[str, Any], cursor: str) -> dict[str, Any]:
    info = found["pageInfo"]
    if info["hasNextPage"]:
        return found
    return {**found, "pageInfo": {**info, "hasNextPage": True, "endCursor": cursor}}


def _page_info(edges: Sequence[Mapping[str, Any]], *, low: int, high: int, total: int) -> dict[str, Any]:
    return {
        "startCursor": edges[0]["cursor"] if edges else None,
        "endCursor": edges[-1]["cursor"] if edges else None,
        "hasPreviousPage": low > 0,
        "hasNextPage": high < total,
    }


def _check(first: int | None, last: int | None) -> None:
    for name, count in (("first", first), ("last", last)):
        if count is not None and not 0 <= count <= PAGE_LIMIT:
            message = f"'{name}' must be between 0 and {PAGE_LIMIT}, not {count}"
            raise GraphQLError(message)


def _decoded(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except ValueError:
        return ""


def _position(keys: Sequence[str], cursor: str) -> int:
    try:
        return keys.index(_decoded(cursor))
    except ValueError:
        message = f"The cursor {cursor!r} is invalid"
        raise GraphQLError(message) from None
