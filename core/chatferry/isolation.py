"""Send many items together; where that is refused, find the culprits within a budget of calls.

This is the one bisection of chatferry: the engine isolates a lead that fails its batch with it, the
ledger a row that a database does not take, connectors a record that a CRM refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

from chatferry.errors import AuthFailure, PermanentFailure, QuotaExhausted, TemporaryFailure

T = TypeVar("T")
R = TypeVar("R")
E = TypeVar("E", bound=Exception)
S = TypeVar("S", bound=Exception)


def _names_none(_error: Exception, _part: Sequence[object]) -> Collection[int]:
    return ()


def isolate(
    items: Sequence[T],
    send: Callable[[Sequence[T]], Sequence[R]],
    *,
    refusal: type[E] | tuple[type[E], ...] = PermanentFailure,  # type: ignore[assignment]  # inferred as E
    stop: type[S] | tuple[type[S], ...] = (TemporaryFailure, QuotaExhausted, AuthFailure),  # type: ignore[assignment]  # inferred as S
    size: int | None = None,
    calls: int | None = None,
    culprits: Callable[[E, Sequence[T]], Collection[int]] = _names_none,
) -> list[R | E | S | TemporaryFailure]:
    """Return one outcome an item, in order: what ``send`` returned for it, or the error that concerns it.

    A part that is refused is sent again without the culprits that the error names, or else in halves,
    until each culprit is alone with its error. Use it only for calls that may safely be repeated.

    :param send: sends a part and returns one result an item, in order.
    :param refusal: errors that may be about single items; raised for one item alone, they are its outcome.
    :param stop: errors that say nothing will pass at present: whatever is not sent yet shares them.
        Looked for before ``refusal``. Errors of neither kind are raised.
    :param size: the most items that one call may hold.
    :param calls: the budget: after so many calls the items that are left get a
        :class:`~chatferry.errors.TemporaryFailure` and are tried again with the next batch.
    :param culprits: returns the positions in the part that a refusal names, if it names any.
    """
    outcomes: dict[int, R | E | S | TemporaryFailure] = {}
    made = 0

    def send_numbered(part: Sequence[tuple[int, T]]) -> Sequence[R]:
        nonlocal made
        made += 1
        if calls is not None and made > calls:
            raise _BudgetSpent("too many of one batch are refused: the rest wait for the next one")
        return send([item for _, item in part])

    def named(error: E, part: Sequence[tuple[int, T]]) -> Collection[int]:
        return culprits(error, [item for _, item in part])

    stopping = (*(stop if isinstance(stop, tuple) else (stop,)), _BudgetSpent)
    numbered = list(enumerate(items))
    parts = isolate_parts(numbered, send_numbered, refusal=refusal, stop=stopping, size=size, culprits=named)
    for part, found in parts:
        shared = [found] * len(part) if isinstance(found, Exception) else found
        outcomes.update(zip((number for number, _ in part), shared, strict=True))
    return [outcomes[number] for number, _ in numbered]


class _BudgetSpent(TemporaryFailure):
    """The calls that may be spent on finding culprits are spent."""


def isolate_parts(
    items: Sequence[T],
    send: Callable[[Sequence[T]], R],
    *,
    refusal: type[E] | tuple[type[E], ...],
    stop: type[S] | tuple[type[S], ...] = (),
    size: int | None = None,
    culprits: Callable[[E, Sequence[T]], Collection[int]] = _names_none,
) -> Iterator[tuple[Sequence[T], R | E | S]]:
    """Yield each part that needs no further call with its result or error, as soon as that is known.

    The parameters are those of :func:`isolate`, but ``send`` returns one result for a whole part.
    """
    size = size or max(len(items), 1)
    waiting = [items[start : start + size] for start in range(0, len(items), size)][::-1]
    while waiting:
        part = waiting.pop()
        try:
            result = send(part)
        except stop as error:
            yield from ((each, error) for each in (part, *reversed(waiting)))
            return
        except refusal as error:
            if len(part) == 1:
                yield part, error
                continue
            guilty = sorted(set(culprits(error, part)))
            if guilty:
                yield [part[number] for number in guilty], error
                rest = [item for number, item in enumerate(part) if number not in guilty]
                waiting += [rest] if rest else []
            else:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
        else:
            yield part, result
