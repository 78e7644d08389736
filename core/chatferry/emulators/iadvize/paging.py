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


def _position(keys: Sequence[str], cursor: str) -> int:
    try:
        return keys.index(base64.b64decode(cursor, validate=True).decode())
    except ValueError:
        message = f"The cursor {cursor!r} is invalid"
        raise GraphQLError(message) from None
