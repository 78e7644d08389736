"""Which rating is the newest: that of a webhook has a date, the one that the API shows has none.

The API may lag behind a click, and the webhook of a click may be lost. What the API shows was said after the
last reading that showed something else, as far as is known; that reading is its date. So a webhook that
came since is newer, and what the API has shown anew since a webhook is newer than that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeAlias

from chatferry.model import Satisfaction

SHOWN: Final = "shown"
"""The member of event facts that holds :data:`Shown`."""
Shown: TypeAlias = Mapping[str, tuple[float, str]]
"""By rating: since when, in seconds since 1970, the API may show what it shows, and a digest of that."""


def note_shown(event_facts: str | None, read: Satisfaction, read_before: float | None) -> str | None:
    """Return event facts with what a reading shows added to them; the same ones if it shows nothing new.

    :param read_before: when the conversation was read before, None if it was not.
    """
    statements: list[Any] = json.loads(event_facts or "[]")
    known: Shown = next((body[SHOWN] for _, _, body in statements if SHOWN in body), {})
    shown = dict(known)
    for one in fields(read):
        value = getattr(read, one.name)
        if value is not None and known.get(one.name, (0.0, ""))[1] != _digest(value):
            shown[one.name] = (read_before or 0.0, _digest(value))
    if shown == known:
        return event_facts
    others = [statement for statement in statements if SHOWN not in statement[2]]
    return json.dumps([*others, (0.0, "", {SHOWN: shown})])


def newest(
    read: Satisfaction,
    told: Satisfaction,
    told_at: Mapping[str, float],
    shown: Shown,
    *,
    equally_new: Mapping[str, tuple[Any, ...]],
) -> Satisfaction:
    """Return each rating from where it is newest; what only one side has is taken from there.

    :param read: what the API shows.
    :param told: what the webhooks say, ``told_at`` the dates of it by rating.
    :param equally_new: what the webhooks of that date say; of two in one second the API knows the later.
    """

    def choose(name: str) -> Any:
        seen, said = getattr(read, name), getattr(told, name)
        if seen is None or said is None:
            return said if seen is None else seen
        if seen in equally_new.get(name, ()):
            return seen
        since, _ = shown.get(name, (0.0, ""))
        return said if told_at.get(name, 0.0) >= since else seen

    return Satisfaction(csat=choose("csat"), nps=choose("nps"), comment=choose("comment"))


def _digest(value: object) -> str:
    """Return what tells a rating from another: a comment is not stored twice."""
    return hashlib.blake2b(repr(value).encode(errors="replace"), digest_size=8).hexdigest()
