"""What an expression sees where iAdvize has nothing: an emptiness that spreads without complaint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from jinja2 import ChainableUndefined


class Empty(ChainableUndefined):
    """Equal to ``""`` and ``none``, false, neither greater nor smaller, and infectious in sums.

    So ``visitor.first_name ~ " " ~ visitor.last_name`` never writes "None", and a comparison with
    a satisfaction nobody gave is false instead of an error.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other is None or other == "" or isinstance(other, Empty)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash("")

    def __call__(self, *_args: Any, **_kwargs: Any) -> Self:  # type: ignore[override]  # (Undefined's always raises)
        """Let a method of nothing give nothing."""
        return self

    def _spread(self, *_: Any) -> Self:
        return self

    def _never(self, _: Any) -> bool:
        return False

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _spread  # type: ignore[assignment]  # (the same)
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _spread  # type: ignore[assignment]  # (the same)
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _spread  # type: ignore[assignment]  # (the same)
    __lt__ = __le__ = __gt__ = __ge__ = _never  # type: ignore[assignment]  # (the same)


EMPTY = Empty()


class Lookup:
    """Named values an expression reads as ``answers.Q1`` or ``answers["Q1"]``; missing ones are empty."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def get(self, name: Any) -> Any:
        """Return the value, or the empty one."""
        try:
            value = self._values.get(name)
        except TypeError:
            return EMPTY
        return EMPTY if value is None else value

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
