"""The empty value that an expression reads where iAdvize has none; it propagates without an error."""

from __future__ import annotations

from typing import Any, Self

from jinja2 import ChainableUndefined


class Empty(ChainableUndefined):
    """Equal to ``""`` and ``none``, false, neither greater nor smaller; arithmetic with it returns it.

    So ``visitor.first_name ~ " " ~ visitor.last_name`` never writes "None", and a comparison with
    a missing satisfaction is false instead of an error.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other is None or other == "" or isinstance(other, Empty)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash("")

    def __call__(self, *_args: Any, **_kwargs: Any) -> Self:  # type: ignore[override]  # (Undefined's always raises)
        """Return the empty value for any call."""
        return self

    def _propagate(self, *_: Any) -> Self:
        return self

    def _false(self, _: Any) -> bool:
        return False

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _propagate  # type: ignore[assignment]  # (the same)
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _propagate  # type: ignore[assignment]  # (the same)
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _propagate  # type: ignore[assignment]  # (the same)
    __lt__ = __le__ = __gt__ = __ge__ = _false  # type: ignore[assignment]  # (the same)


EMPTY = Empty()


class Lookup(dict[str, Any]):
    """Named values an expression reads as ``answers.Q1`` or ``answers["Q1"]``; missing ones are empty."""

    def get(self, name: Any, default: Any = EMPTY) -> Any:
        """Return the value, or the empty one."""
        value = super().get(name) if isinstance(name, str) else None
        return default if value is None else value
