"""A destination's strategies, mapping and rules, applied to a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

from chatferry.errors import ChatferryError, PluginError
from chatferry.leads.extraction import extract, lead_of
from chatferry.leads.mapping import CompiledMapping
from chatferry.leads.partial_readings import cleared, still_shown
from chatferry.leads.routing import Verdict, decide, mismatch
from chatferry.ledger.deliveries.states import Decided, DeliveryState
from chatferry.ledger.snapshot import dump_lead, fingerprint
from chatferry.logs import get_logger
from chatferry.model import Conversation, Lead
from chatferry.settings.model import DestinationSettings
from chatferry.strategy import Strategy

UPDATE_ONLY: Final = (
    "iAdvize shows less of it than before; what it still shows is updated, nothing is created"
)

Veto: TypeAlias = Callable[[Lead, str], str | None]
"""Asks the plugins for a reason not to deliver a lead; raises PluginError if one of them fails."""


class Decider(Protocol):
    """Decides about a conversation at a destination."""

    @property
    def takes_updates(self) -> bool:
        """Whether its connector honours ``update_only`` leads."""

    def decide(self, conversation: Conversation, veto: Veto, *, shown: Conversation | None = None) -> Decided:
        """Return the decision.

        :param shown: what iAdvize still shows of a conversation that was delivered here before and
            is completed with what earlier readings showed.
        :raises PluginError: if a plugin that is needed for it fails.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A destination that needs a plugin which does not work; its leads wait until it does."""

    settings: DestinationSettings
    reason: str
    takes_updates: bool = False

    def decide(
        self,
        conversation: Conversation,
        veto: Veto,  # noqa: ARG002  (as others decide)
        *,
        shown: Conversation | None = None,  # noqa: ARG002  (the same)
    ) -> Decided:
        """Return that the destination's rules exclude a conversation, which needs no plugin.

        :raises PluginError: if they do not: the decision is postponed.
        """
        unwanted = mismatch(self.settings, conversation)
        if unwanted is None:
            raise PluginError(self.settings.name, f"is not served: {self.reason}")
        return decided(self.settings.name, lead_of(conversation, {}), DeliveryState.SKIPPED, unwanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One destination: selects conversations, extracts and maps their leads."""

    settings: DestinationSettings
    strategies: Sequence[Strategy]
    mapping: CompiledMapping
    takes_updates: bool = False

    @property
    def name(self) -> str:
        """The destination's name in ``chatferry.toml``."""
        return self.settings.name

    def lead(self, conversation: Conversation) -> Lead:
        """Return the lead of a conversation, not mapped yet.

        A strategy that fails loses its own answers, not the lead.
        """
        extracted = extract(conversation, self.strategies)
        for failure in extracted.failures:
            log = get_logger("chatferry.sync")
            log.error(
                "strategy failed",
                destination=self.name,
                conversation=conversation.id,
                reason=failure.reason,
            )
        return lead_of(conversation, extracted.answers)

    def mapped(self, lead: Lead) -> Lead:
        """Return the lead with the records that the mapping gives.

        :raises ChatferryError: naming the expression that fails on this lead.
        """
        return replace(lead, records=self.mapping.records(lead))

    def decide(self, conversation: Conversation, veto: Veto, *, shown: Conversation | None = None) -> Decided:
        """Return the decision about a conversation here.

        :param shown: what iAdvize still shows of it, where it is completed, see :class:`Decider`.
        :raises PluginError: if a plugin that may veto fails; nothing is decided then.
        """
        unwanted = mismatch(self.settings, conversation)
        if unwanted is not None:
            return decided(self.name, lead_of(conversation, {}), DeliveryState.SKIPPED, unwanted)
        lead = self.lead(conversation)
        decision = decide(self.settings, lead)
        if decision.verdict is Verdict.SKIP:
            return decided(self.name, lead, DeliveryState.SKIPPED, decision.reason)
        try:
            lead = self.mapped(lead)
        except ChatferryError as error:
            return decided(self.name, lead, DeliveryState.DEAD, str(error))
        if decision.verdict is Verdict.PARK:
            return decided(self.name, lead, DeliveryState.PARKED, decision.reason)
        reason = veto(lead, self.name)
        if reason is not None:
            return decided(self.name, lead, DeliveryState.SKIPPED, f"vetoed by {reason}")
        return self._update(lead, shown) if shown else decided(self.name, lead, DeliveryState.DUE, None)

    def _update(self, lead: Lead, shown: Conversation) -> Decided:
        """Queue what iAdvize still shows of a completed lead, for the records that are there.

        The fingerprint is that of the whole: what earlier readings showed is no news.
        """
        try:
            records = self.mapping.records(self.lead(shown))
        except ChatferryError:
            records = {}  # an expression that needs what is gone
        whole = replace(lead, records=cleared(lead.records, records))
        narrowed = replace(lead, records=still_shown(lead.records, records), update_only=True)
        queued = decided(self.name, narrowed, DeliveryState.DUE, UPDATE_ONLY)
        return replace(queued, fingerprint=fingerprint(whole))


def decided(destination: str, lead: Lead, state: DeliveryState, reason: str | None) -> Decided:
    """Return a decision about a lead; one that is skipped keeps no content."""
    kept = state is not DeliveryState.SKIPPED
    return Decided(
        destination=destination,
        state=state,
        reason=reason,
        key=lead.key,
        email=lead.email,
        fingerprint=fingerprint(lead) if kept else None,
        lead=dump_lead(lead) if kept else None,
    )
