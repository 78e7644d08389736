"""Writing drafts: each record once, however many leads are about it, and again without what was refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final, TypeVar

from chatferry.errors import PermanentFailure
from chatferry.records.draft import Draft, settle
from chatferry.records.fields import fold

D = TypeVar("D", bound=Draft)
MOST_REPAIRS: Final = 8
"""Times a record is sent again without the fields that its CRM refused: it may name one at a time."""


def write_repaired(
    drafts: Sequence[D],
    write: Callable[[Sequence[D]], None],
    repair: Callable[[Sequence[D]], Sequence[D]],
    *,
    times: int = MOST_REPAIRS,
) -> None:
    """Write drafts, and those again that could be repaired, for instance without a field that was refused.

    :param write: gives each draft its result.
    :param repair: changes drafts of which a part was refused, takes their results away and returns them.
    """
    for _ in range(times + 1):
        if not drafts:
            return
        write(drafts)
        drafts = repair(drafts)


def write_folded(
    drafts: Sequence[D],
    write: Callable[[Sequence[D]], None],
    *,
    same: Callable[[str], str] = str,
    one_by_one: bool = True,
) -> None:
    """Write each record once, however many of the drafts are of it, and give them all its result.

    :param write: writes drafts of different records.
    :param same: returns the same text for keys that are one to the CRM, which may not look at case.
    :param one_by_one: whether drafts that are refused together are then written one after the other,
        so that a bad one does not drag the others along.
    """
    groups: dict[tuple[str, str], list[D]] = {}
    for draft in drafts:
        groups.setdefault((draft.key_field, same(draft.key)), []).append(draft)
    folded = [(_folded(group), group) for group in groups.values()]
    write([one for one, _ in folded])
    refused: list[list[D]] = []
    for one, group in folded:
        for draft in group if len(group) > 1 else ():
            draft.fields = replace(draft.fields, notes=one.fields.notes)
        if one_by_one and len(group) > 1 and isinstance(one.result, PermanentFailure):
            refused.append(group)
        elif one.result is not None:
            settle(group, one.result)
    for turn in zip_longest(*refused):
        write([draft for draft in turn if draft is not None])


def _folded(group: Sequence[D]) -> D:
    """Return drafts of one record as one; what is no field is taken from the last."""
    if len(group) == 1:
        return group[0]
    return replace(group[-1], fields=fold([draft.fields for draft in group]))
