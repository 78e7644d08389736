"""One record to write, which carries its result: each step of a delivery takes those that are open still."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from chatferry.errors import AuthFailure, DeliveryError, QuotaExhausted, RateLimited
from chatferry.records.fields import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record that a CRM has written, or found."""

    id: str
    created: bool = False
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What it holds, as far as that is known."""


Result: TypeAlias = Written | DeliveryError
"""What became of a draft."""


@dataclass(slots=True, kw_only=True, eq=False)
class Draft:
    """One record to write."""

    key_field: str
    """The unique field it is found by."""
    key: str = field(repr=False)
    """That field's value."""
    record_id: str = ""
    """The CRM's own id, if it is known."""
    fields: Fields = field(default_factory=Fields, repr=False)
    held: Written | None = field(default=None, repr=False)
    """What the CRM holds, if it was asked."""
    result: Result | None = None
    """What became of it; None as long as that is open."""

    @property
    def values(self) -> dict[str, Any]:
        """What to write, given what the CRM holds."""
        return self.fields.against(self.held.values if self.held else None)

    @property
    def written(self) -> Written:
        """The record; only for drafts that were written."""
        if not isinstance(self.result, Written):
            raise TypeError(f"the record is not written: {self.result!r}")
        return self.result


D = TypeVar("D", bound=Draft)


def open_drafts(drafts: Iterable[D]) -> list[D]:
    """Return the drafts that have no result yet."""
    return [draft for draft in drafts if draft.result is None]


def settle(drafts: Iterable[Draft], result: Result) -> None:
    """Give all drafts the same result."""
    for draft in drafts:
        draft.result = result


def is_account_wide(result: object) -> bool:
    """Return whether a result is an error about the account, not about what was sent."""
    return isinstance(result, AuthFailure | QuotaExhausted | RateLimited)


def stopped_by(drafts: Iterable[Draft]) -> Result | None:
    """Return an error among the results that is about the whole account: no further call will pass."""
    return next((draft.result for draft in drafts if is_account_wide(draft.result)), None)
