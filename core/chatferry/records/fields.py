"""The fields of a record by sync mode, and what was changed for the record to be taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chatferry.leads.transcripts import Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A record as its CRM takes it, by sync mode (:class:`~chatferry.Record`), with notes for the receipt."""

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fill_if_empty: Mapping[str, Any] = field(default_factory=dict, repr=False)
    create_only: Mapping[str, Any] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The fields that may be written."""
        return frozenset({*self.values, *self.fill_if_empty, *self.create_only})

    @property
    def conditional(self) -> frozenset[str]:
        """The fields that are written or not after a look at what the CRM holds."""
        return frozenset({*self.fill_if_empty, *self.create_only} - set(self.values))

    def against(self, held: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what to write where the CRM holds ``held``, or no such record (None)."""
        if held is None:
            return {**self.create_only, **self.fill_if_empty, **self.values}
        return {**{k: v for k, v in self.fill_if_empty.items() if not held.get(k)}, **self.values}

    def changed(self, change: Callable[[Mapping[str, Any]], Mapping[str, Any]], *notes: str) -> Fields:
        """Return the record with the values of every mode changed, and further notes on it."""
        return Fields(
            values=change(self.values),
            fill_if_empty=change(self.fill_if_empty),
            create_only=change(self.create_only),
            notes=(*self.notes, *notes),
        )

    def cut(self, shorten: Callable[[str, str], Cut | None], note: Callable[[str, Cut], str]) -> Fields:
        """Return the record with texts that are cut where they are too long, and a note on each.

        :param shorten: returns a field's text shortened, None if it fits.
        :param note: says of a field what was done to it.
        """
        notes: list[str] = []

        def fitting(values: Mapping[str, Any]) -> Mapping[str, Any]:
            texts = ((key, value) for key, value in values.items() if isinstance(value, str))
            cuts = {key: shorter for key, text in texts if (shorter := shorten(key, text))}
            notes.extend(note(key, shorter) for key, shorter in cuts.items())
            return {**values, **{key: shorter.text for key, shorter in cuts.items()}}

        whole = self.changed(fitting)
        return replace(whole, notes=(*whole.notes, *notes))

    def plus(self, name: str, value: Any) -> Fields:
        """Return the record with one more value."""
        return replace(self, values={**self.values, name: value})

    def without(self, names: Iterable[str], *notes: str) -> Fields:
        """Return the record without some of its values, with further notes on it."""
        left_out = frozenset(names)
        return self.changed(lambda values: {k: v for k, v in values.items() if k not in left_out}, *notes)


def fold(many: Sequence[Fields]) -> Fields:
    """Return several records of one object as one, as if they were written one by one.

    Of overwriting values the last wins, of conditional ones the first.
    """
    folded = many[0]
    for later in many[1:]:
        folded = Fields(
            values={**folded.values, **later.values},
            fill_if_empty={**later.fill_if_empty, **folded.fill_if_empty},
            create_only={**later.create_only, **folded.create_only},
            notes=(*folded.notes, *later.notes),
        )
    return folded
