"""A destination at work: its strategies, its mapping and its rules, applied to a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from chatferry.errors import ChatferryError, PluginError
from chatferry.leads.extraction import extract, lead_of
from chatferry.leads.mapping import CompiledMapping
from chatferry.leads.routing import Verdict, decide, mismatch
from chatferry.ledger.deliveries.states import Decided, DeliveryState
from chatferry.ledger.snapshot import dump_lead, fingerprint
from chatferry.logs import get_logger
from chatferry.model import Conversation, Lead
from chatferry.settings.model import DestinationSettings
from chatferry.strategy import Strategy

Veto: TypeAlias = Callable[[Lead, str], str | None]
"""Asks the plugins whether a lead may go; raises PluginError where one cannot say."""


class Decider(Protocol):
    """What says what becomes of a conversation at a destination."""

    def decide(self, conversation: Conversation, veto: Veto) -> Decided:
        """Return what becomes of it.

        :raises PluginError: if a plugin is needed for that and cannot say.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A destination that needs a plugin which does not work: its leads wait until it does."""

    settings: DestinationSettings
    reason: str

    def decide(self, conversation: Conversation, veto: Veto) -> Decided:  # noqa: ARG002  (as others decide)
        """Return that a conversation is not wanted here, if it needs no plugin to say so.

        :raises PluginError: if it may be wanted: that is not decided yet.
        """
        unwanted = mismatch(self.settings, conversation)
        if unwanted is None:
            raise PluginError(self.settings.name, f"is not served: {self.reason}")
        return decided(self.settings.name, lead_of(conversation, {}), DeliveryState.SKIPPED, unwanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The rules of one destination: which conversations it wants, and what it makes of them."""

    settings: DestinationSettings
    strategies: Sequence[Strategy]
    mapping: CompiledMapping

    @property
    def name(self) -> str:
        """The destination's name in ``chatferry.toml``."""
        return self.settings.name

    def lead(self, conversation: Conversation) -> Lead:
        """Return the lead this destination makes of a conversation, not mapped yet.

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
        """Return the lead with the records this destination's fields say.

        :raises ChatferryError: naming the expression that fails on this lead.
        """
        return replace(lead, records=self.mapping.records(lead))

    def decide(self, conversation: Conversation, veto: Veto) -> Decided:
        """Return what becomes of a conversation here.

        :raises PluginError: if a plugin that may veto cannot say; nothing is decided then.
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
        return decided(self.name, lead, DeliveryState.DUE, None)


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
