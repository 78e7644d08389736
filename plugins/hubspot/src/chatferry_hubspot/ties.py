"""Tying conversations to their contacts, and untying them from whom they turned out not to be with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from chatferry import DeliveryError, PermanentFailure, TemporaryFailure
from chatferry_hubspot.answers import Refused, complain
from chatferry_hubspot.client import Client
from chatferry_hubspot.paths import Path
from chatferry_hubspot.replies import is_missing
from chatferry_hubspot.storage import CONTACT_TYPE

MOST_PAIRS = 2_000
"""Associations HubSpot takes in one call."""
MOST_CALLS = 32
"""Calls spent on finding the association that gets a whole call refused."""
MOST_UNTIED = 100
"""Records HubSpot unties in one call."""

Pair: TypeAlias = tuple[str, str]
"""The ids of a record and of its contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """A record that belongs to a contact, and the contact it was tied to ``before``, if to any."""

    record: str
    contact: str
    before: str = ""

    @property
    def pair(self) -> Pair:
        """The ends."""
        return self.record, self.contact


class Ties:
    """Makes and changes associations; both may be done twice."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def make(self, object_type: str, ties: Sequence[Tie]) -> dict[Tie, DeliveryError]:
        """Tie records to their contacts; return the ties that failed.

        They are untied first: where the contact before was merged into the new one, the same two
        records are meant.
        """
        stale = [tie for tie in ties if tie.before and tie.before != tie.contact]
        failed: dict[Tie, DeliveryError] = {}
        for start in range(0, len(stale), MOST_UNTIED):
            failed.update(self._untie(object_type, stale[start : start + MOST_UNTIED]))
        wanted = [tie for tie in ties if tie not in failed]
        refused = self._associate(object_type, [tie.pair for tie in wanted])
        return failed | {tie: refused[tie.pair] for tie in wanted if tie.pair in refused}

    def _untie(self, object_type: str, ties: Sequence[Tie]) -> dict[Tie, DeliveryError]:
        """Remove associations; if HubSpot refuses the call, one by one."""
        inputs = [{"from": {"id": tie.record}, "to": [{"id": tie.before}]} for tie in ties]
        try:
            self._client.call(Path.DISSOCIATE, {"inputs": inputs}, object=object_type, to=CONTACT_TYPE)
        except Refused as error:
            if len(ties) > 1:
                return {tie: e for one in ties for tie, e in self._untie(object_type, [one]).items()}
            return {} if is_missing(error) else {ties[0]: _not_yet(error)}
        except DeliveryError as error:
            return dict.fromkeys(ties, error)
        return {}

    def _associate(self, object_type: str, pairs: Sequence[Pair]) -> dict[Pair, DeliveryError]:
        """Tie pairs; return those that failed, found by halves where a whole call is refused.

        A contact that was merged or archived since it was written is not there any more: the next
        attempt writes the contact again, so this is never permanent.
        """
        failed: dict[Pair, DeliveryError] = {}
        waiting = list(dict.fromkeys(pairs))
        parts = [waiting[start : start + MOST_PAIRS] for start in range(0, len(waiting), MOST_PAIRS)]
        calls = 0
        while parts:
            part = parts.pop()
            calls += 1
            try:
                failed.update(self._call(object_type, part))
            except PermanentFailure as error:
                if len(part) > 1 and calls < MOST_CALLS:
                    parts += [part[: len(part) // 2], part[len(part) // 2 :]]
                else:
                    failed.update(dict.fromkeys(part, _not_yet(error)))
            except DeliveryError as error:
                failed.update(dict.fromkeys(part, error))
        return failed

    def _call(self, object_type: str, pairs: Sequence[Pair]) -> dict[Pair, DeliveryError]:
        payload = {"inputs": [{"from": {"id": a}, "to": {"id": b}} for a, b in pairs]}
        body = self._client.call(Path.ASSOCIATE, payload, object=object_type, to=CONTACT_TYPE)
        return _failed_pairs(pairs, body)


def _not_yet(error: PermanentFailure) -> TemporaryFailure:
    return TemporaryFailure(
        f"the conversation cannot be tied to its contact yet: {error}",
        crm_message=error.crm_message,
        code=error.code,
        reference=error.reference,
    )


def _failed_pairs(pairs: Sequence[Pair], body: Mapping[str, Any]) -> dict[Pair, DeliveryError]:
    """Return the pairs an answer does not vouch for.

    With errors, those that are not among the results; without, none, if there is any answer.
    """
    done: set[frozenset[str]] = set()
    results = body.get("results")
    for item in results if isinstance(results, list) else ():
        ends = (_end(item, "from"), _end(item, "to")) if isinstance(item, Mapping) else ("", "")
        done.add(frozenset(ends))
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], Mapping) else {}
        error = _not_yet(Refused(207, complain(first), subject="the association"))
        return {pair: error for pair in pairs if frozenset(pair) not in done}
    if not isinstance(results, list):
        unsaid = TemporaryFailure("HubSpot's answer does not mention the associations")
        return dict.fromkeys(pairs, unsaid)
    return {}


def _end(item: Mapping[str, Any], name: str) -> str:
    end = item.get(name)
    found = end.get("id") if isinstance(end, Mapping) else None
    return str(found) if isinstance(found, str | int) else ""
