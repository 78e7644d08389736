"""Which destination gets a lead: pure functions over a destination's rules.

Every decision has a reason, which operators read in ``chatferry why``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chatferry.model import Conversation, Lead
from chatferry.settings.model import DestinationSettings, Settings

OPERATORS_UNKNOWN: Final = (
    "the destination has a rule about operators, and not all that took part are known: no webhook of the"
    " close names them; the next reconciliation asks iAdvize's list"
)
"""The reason of a parked lead that a reconciliation has decided again."""


class Verdict(StrEnum):
    """What happens to a lead at a destination. A parked one waits for an operator's decision."""

    DELIVER = "deliver"
    PARK = "park"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict and why."""

    verdict: Verdict
    reason: str


def decide(destination: DestinationSettings, lead: Lead) -> Decision:
    """Decide about a lead whose strategies have run."""
    reason = mismatch(destination, lead.conversation) or _email_mismatch(destination, lead)
    if reason:
        return Decision(verdict=Verdict.SKIP, reason=reason)
    if _operators_are_missing(destination, lead.conversation):
        return Decision(verdict=Verdict.PARK, reason=OPERATORS_UNKNOWN)
    if not lead.email and destination.without_email == "park":
        if lead.conversation.closed_at is None:
            return Decision(verdict=Verdict.SKIP, reason="the conversation is running and has no e-mail yet")
        return Decision(
            verdict=Verdict.PARK, reason='there is no e-mail, and the destination says without_email = "park"'
        )
    return Decision(verdict=Verdict.DELIVER, reason="every rule of the destination matches")


def mismatch(destination: DestinationSettings, conversation: Conversation) -> str | None:
    """Return the first rule that the conversation itself does not match, or None.

    It needs no answers: a conversation that does not match is not extracted.
    """
    return next(_mismatches(destination, conversation), None)


def wanted(settings: Settings, platform: str, client_id: int | None, project_id: int | None) -> bool:
    """Whether an enabled destination may take a conversation from there; an unknown id may match."""
    return any(_may_match(d, platform, client_id, project_id) for d in settings.destinations.values())


def live_wanted(settings: Settings, platform: str, client_id: int | None, project_id: int | None) -> bool:
    """Whether an enabled destination may take a conversation from there while it is running."""
    return any(
        d.live and _may_match(d, platform, client_id, project_id) for d in settings.destinations.values()
    )


def _may_match(d: DestinationSettings, platform: str, client_id: int | None, project_id: int | None) -> bool:
    return (
        d.enabled
        and (not d.platforms or platform.lower() in d.platforms)
        and (not d.clients or client_id is None or client_id in d.clients)
        and (not d.projects or project_id is None or project_id in d.projects)
    )


def _mismatches(d: DestinationSettings, c: Conversation) -> Iterator[str]:
    if not d.enabled:
        yield "the destination is disabled"
    if c.closed_at is None and not d.live:
        yield "the conversation is still running, and the destination takes finished ones only"
    if d.platforms and c.platform.lower() not in d.platforms:
        yield f"platform {c.platform} is not among {_listed(d.platforms)}"
    if d.clients and c.client_id not in d.clients:
        yield f"client {c.client_id} is not among {_listed(d.clients)}"
    if d.projects and c.project_id not in d.projects:
        yield f"project {_shown(c.project_id)} is not among {_listed(d.projects)}"
    if d.channels and (c.channel or "").casefold() not in {name.casefold() for name in d.channels}:
        yield f"channel {_shown(c.channel)} is not among {_listed(d.channels)}"
    yield from _operator_mismatches(d, c)
    if d.answered is not None and c.answered is not d.answered:
        yield (
            "no operator answered the visitor, and the destination takes answered conversations only"
            if d.answered
            else "the visitor was answered, and the destination takes unanswered conversations only"
        )


def _operator_mismatches(d: DestinationSettings, c: Conversation) -> Iterator[str]:
    if d.operators and not set(d.operators) & set(c.operator_ids) and not _operators_are_missing(d, c):
        yield f"none of the operators {_listed(d.operators)} took part"
    present = [operator for operator in c.operator_ids if operator in d.without_operators]
    if present:
        yield f"operator {_listed(present)} took part, and the destination takes conversations without"


def _operators_are_missing(d: DestinationSettings, c: Conversation) -> bool:
    """Whether a rule about operators cannot be decided: others may have taken part than those known.

    Of a conversation that is running those known so far decide: the rule is looked at again at its close.
    """
    if c.closed_at is None or c.operators_known:
        return False
    return bool(d.without_operators or (d.operators and not set(d.operators) & set(c.operator_ids)))


def _email_mismatch(destination: DestinationSettings, lead: Lead) -> str | None:
    if destination.email == "required" and not lead.email:
        return "there is no e-mail, and the destination takes leads with one only"
    if destination.email == "absent" and lead.email:
        return "there is an e-mail, and the destination takes leads without one only"
    return None


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)


def _shown(value: object) -> str:
    return "(none)" if value is None else str(value)
