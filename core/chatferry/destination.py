"""A destination at work: its strategies, its mapping and its rules, applied to a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from chatferry.errors import ChatferryError
from chatferry.extraction import extract, lead_of
from chatferry.handover import Handover
from chatferry.ledger.decisions import Decided, State
from chatferry.logs import get_logger
from chatferry.mapping import CompiledMapping
from chatferry.model import Conversation, Lead
from chatferry.routing import Verdict, decide, mismatch
from chatferry.settings.model import DestinationSettings
from chatferry.snapshot import dump_lead, fingerprint
from chatferry.strategy import Strategy

Veto: TypeAlias = Callable[[Lead, str], str | None]
"""Asks the plugins whether a lead may go; raises PluginError where one cannot say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What the engine knows of a destination beside what the ledger does."""

    settings: DestinationSettings
    batch_size: int
    strategies: Sequence[Strategy]
    mapping: CompiledMapping
    handover: Handover

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
            return self._decided(lead_of(conversation, {}), State.SKIPPED, unwanted)
        lead = self.lead(conversation)
        decision = decide(self.settings, lead)
        if decision.verdict is Verdict.SKIP:
            return self._decided(lead, State.SKIPPED, decision.reason)
        try:
            lead = self.mapped(lead)
        except ChatferryError as error:
            return self._decided(lead, State.DEAD, str(error))
        if decision.verdict is Verdict.PARK:
            return self._decided(lead, State.PARKED, decision.reason)
        reason = veto(lead, self.name)
        if reason is not None:
            return self._decided(lead, State.SKIPPED, f"vetoed by {reason}")
        return self._decided(lead, State.DUE, None)

    def _decided(self, lead: Lead, state: State, reason: str | None) -> Decided:
        kept = state is not State.SKIPPED
        return Decided(
            destination=self.name,
            state=state,
            reason=reason,
            key=lead.key,
            email=lead.email,
            fingerprint=fingerprint(lead) if kept else None,
            lead=dump_lead(lead) if kept else None,
        )
