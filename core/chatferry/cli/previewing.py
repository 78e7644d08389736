"""A dry run: what the engine would decide about a conversation, without a ledger and without a CRM."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from chatferry.assembly import destination_of
from chatferry.cli.workspace import Workspace
from chatferry.errors import ChatferryError, PluginError
from chatferry.leads.destination import Destination
from chatferry.leads.extraction import extract, lead_of
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.model import Conversation, Lead, Record
from chatferry.settings.destinations import Prepared, validate_destinations

_VERDICTS = {
    DeliveryState.DUE: "deliver",
    DeliveryState.SKIPPED: "skip",
    DeliveryState.PARKED: "park",
    DeliveryState.DEAD: "fail",
}
"""The word that the preview shows for the state of a new delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What one destination would do. ``failures`` are strategies that raised."""

    destination: str
    verdict: str
    reason: str
    lead: Lead
    records: Mapping[str, Record] = field(default_factory=dict)
    failures: Sequence[str] = ()


def preview_of(workspace: Workspace, conversation: Conversation, only: str | None) -> Sequence[Preview]:
    """Return what each enabled destination would do, or the one that is named.

    :raises SettingsError: if a destination is wrong.
    """
    settings, plugins = workspace.settings, workspace.plugins
    chosen = {
        name: one for name, one in settings.destinations.items() if (name == only if only else one.enabled)
    }
    prepared = validate_destinations(
        replace(settings, destinations=chosen),
        plugins.connectors,
        plugins.strategies,
        unusable=plugins.unusable,
        environ=os.environ,
        name=str(workspace.config),
    )
    previews = []
    for name, settings_of_one in chosen.items():
        if name not in prepared.ready:
            previews.append(_preview_unavailable(name, prepared, conversation))
            continue
        destination = destination_of(prepared.ready[settings_of_one.name])
        previews.append(_preview(workspace, destination, conversation))
    return previews


def _preview_unavailable(name: str, prepared: Prepared, conversation: Conversation) -> Preview:
    verdict, reason = "skip", "the destination is disabled"
    if name in prepared.unserved:
        verdict, reason = "wait", f"the destination is not served: {prepared.unserved[name]}"
    return Preview(destination=name, verdict=verdict, reason=reason, lead=lead_of(conversation, {}))


def _preview(workspace: Workspace, destination: Destination, conversation: Conversation) -> Preview:
    extracted = extract(conversation, destination.strategies)
    lead = lead_of(conversation, extracted.answers)
    try:
        decided = destination.decide(conversation, workspace.plugins.veto)
        verdict, reason = _VERDICTS[decided.state], decided.reason or "every rule of the destination matches"
    except PluginError as error:
        verdict, reason = "wait", f"a plugin that may veto failed: {error}"
    return Preview(
        destination=destination.name,
        verdict=verdict,
        reason=reason,
        lead=lead,
        records=_records(destination, lead) if verdict in {"deliver", "park", "wait"} else {},
        failures=[failure.reason for failure in extracted.failures],
    )


def _records(destination: Destination, lead: Lead) -> Mapping[str, Record]:
    try:
        return destination.mapped(lead).records
    except ChatferryError:
        return {}  # the reason of the decision names the error already
