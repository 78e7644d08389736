"""Retry deliveries: the lead in the ledger is mapped again with the present configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chatferry.engine import Engine
from chatferry.errors import ChatferryError
from chatferry.leads.destination import decided
from chatferry.ledger.deliveries.selection import Selection
from chatferry.ledger.deliveries.states import ERASED, Decided, Delivery, DeliveryState
from chatferry.ledger.snapshot import load_lead

REVIVABLE = (DeliveryState.DEAD, DeliveryState.PARKED, DeliveryState.DISCARDED)
_TOGETHER = 100


@dataclass(slots=True, kw_only=True)
class RevivalReport:
    """How many deliveries are due again, and why others are not, by delivery id."""

    revived: int = 0
    refused: dict[int, str] = field(default_factory=dict)


def revive(engine: Engine, selection: Selection, *, step: Callable[[], None] = lambda: None) -> RevivalReport:
    """Queue the selected deliveries again, those that are dead, parked or discarded.

    :param step: called after each delivery looked at.
    """
    report = RevivalReport()
    group: list[tuple[Delivery, Decided]] = []
    for listed in engine.ledger.selections.each(selection):
        if listed.state in REVIVABLE:
            try:
                group.append((listed, _content(listed, engine)))
            except ChatferryError as error:
                report.refused[listed.id] = str(error)
        if len(group) >= _TOGETHER:
            report.revived += engine.ledger.selections.revive(group, engine.clock())
            group.clear()
        step()
    report.revived += engine.ledger.selections.revive(group, engine.clock())
    return report


def _content(listed: Delivery, engine: Engine) -> Decided:
    if listed.reason == ERASED:
        raise ChatferryError("it was erased, and stays so")
    if listed.destination in engine.unserved:
        reason = engine.unserved[listed.destination].reason
        raise ChatferryError(f"{listed.destination} is not served: {reason}")
    destination = engine.destinations.get(listed.destination)
    if destination is None:
        raise ChatferryError(f"there is no destination {listed.destination} any more")
    lead = destination.mapped(load_lead(listed.lead))
    return decided(destination.name, lead, DeliveryState.DUE, None)
