"""``chatferry why``: the history of one conversation, as a tree."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import click
from rich.text import Text
from rich.tree import Tree

from chatferry.cli.output import console, output_option, plain, print_json
from chatferry.cli.times import age, iso, shown
from chatferry.cli.workspace import Workspace
from chatferry.errors import ChatferryError
from chatferry.ledger.deliveries.states import DeliveryState
from chatferry.ledger.stories import ConversationRow, EventRow
from chatferry.model import Answer, Lead, Receipt, Record
from chatferry.operations.timeline import Journey, Story, stories

_SHOWN = 100
_MESSAGES = 4
_STYLES = {
    DeliveryState.DELIVERED: "green",
    DeliveryState.DEAD: "red",
    DeliveryState.PARKED: "yellow",
    DeliveryState.DUE: "cyan",
}


@click.command()
@click.argument("conversation")
@output_option
@click.pass_obj
def why(workspace: Workspace, conversation: str, *, output: str) -> None:
    """Show the history of one conversation: iAdvize's id, or a delivery's key.

    Its events, when it was read, the answers and the messages they came from, and for each destination
    the decision, the records sent, what the CRM said, the next attempt and what you can do. Shows
    personal data, shortened in the tree and in full as JSON. Exits with 1 if the ledger does not know it.
    """
    workspace.do_without_secrets()
    served = [one.name for one in workspace.settings.destinations.values() if one.enabled]
    served = [name for name in served if name not in workspace.unserved]
    found = stories(workspace.ledger, conversation, served)
    if not found:
        message = (
            f"the ledger does not know conversation {conversation}; if iAdvize has it, "
            "chatferry reconcile --since with a time before it closed finds it"
        )
        raise ChatferryError(message)
    if output == "json":
        print_json([_as_json(story) for story in found])
        return
    for story in found:
        console().print(_tree(story, time.time()))


# ---------------------------------------------------------------------------------- for people


def _tree(story: Story, now: float) -> Tree:
    known = story.conversation
    tree = Tree(plain(known.conversation_id if known else "no conversation", "bold"))
    events = tree.add(f"events: {len(story.events)}")
    for event in story.events:
        events.add(plain(_event(event)))
    if known:
        read = tree.add(plain(_reading(known, now)))
        for line in _about(known, now):
            read.add(plain(line))
    _suggest(tree, story.suggestion)
    shown_answers: Mapping[str, Answer] = {}
    for journey in story.journeys:
        found = journey.lead.answers if journey.lead else {}
        branch = _add_journey(tree, journey, now)
        if found and found != shown_answers:
            # Most destinations use the same strategies: equal answers are shown once.
            shown_answers = found
            _add_answers(branch, found)
    return tree


def _add_answers(tree: Tree, found: Mapping[str, Answer]) -> None:
    branch = tree.add("answers")
    for answer in found.values():
        branch.add(plain(_answer(answer)))


def _event(event: EventRow) -> str:
    occurred = shown(event.occurred_at) or "at an unknown time"
    line = f"{event.event_type}, occurred {occurred}, received {shown(event.received_at)}"
    return f"{line}; without consequence: {event.refusal}" if event.refusal else line


def _reading(known: ConversationRow, now: float) -> str:
    if known.synced_at is None:
        return "not read yet"
    closed = f"closed {shown(known.closed_at)}" if known.closed_at else "still running"
    return f"read {shown(known.synced_at)} ({age(known.synced_at, now)}): {closed}"


def _about(known: ConversationRow, now: float) -> Iterator[str]:
    yield f"client {known.platform}/{known.client_id}, project {known.project_id}, {known.channel}"
    if known.problem:
        yield f"problem: {known.problem} ({known.attempts} attempts)"
    if known.due_at is not None:
        yield f"next read: {age(known.due_at, now)}"


def _answer(answer: Answer) -> str:
    line = f"{answer.name}: {_cut(answer.value)}"
    ids = answer.message_ids
    where = ", ".join(ids) if len(ids) <= _MESSAGES else f"{len(ids)} messages"
    source = f"{answer.strategy}, {where or 'no message'}"
    earlier = f"; {len(answer.earlier)} earlier" if answer.earlier else ""
    more = f"; later messages left out: {len(answer.more)}" if answer.more else ""
    return f"{line}  ({source}{earlier}{more})"


def _add_journey(tree: Tree, journey: Journey, now: float) -> Tree:
    delivery = journey.delivery
    head = Text.assemble(
        f"{delivery.destination} (delivery {delivery.id}): ",
        (delivery.state, _STYLES.get(delivery.state, "")),
    )
    branch = tree.add(head)
    for line in _journey_lines(journey, now):
        branch.add(plain(line))
    if journey.lead:
        for name, record in journey.lead.records.items():
            _add_record(branch, name, record)
    _suggest(branch, journey.suggestion)
    return branch


def _journey_lines(journey: Journey, now: float) -> Iterator[str]:
    delivery = journey.delivery
    if delivery.reason:
        yield f"why: {delivery.reason}"
    if delivery.crm_message:
        yield f"the CRM's message: {delivery.crm_message}"
    if delivery.code or delivery.reference:
        yield f"the CRM's code: {delivery.code or 'none'}, reference: {delivery.reference or 'none'}"
    if delivery.delivered_at is not None:
        which = "this content" if journey.is_current else "an earlier content"
        yield f"delivered {shown(delivery.delivered_at)}: {which}"
    if journey.receipt:
        yield from _receipt_lines(journey.receipt)
    if delivery.attempts:
        yield f"{delivery.attempts} failed attempts since {shown(delivery.failing_since)}"
    if delivery.due_at is not None:
        yield f"next attempt: {age(delivery.due_at, now)}"
    yield from _content_and_pause(journey)


def _receipt_lines(receipt: Receipt) -> Iterator[str]:
    ids = ", ".join(f"{name} {found}" for name, found in receipt.ids.items())
    yield f"{'created' if receipt.created else 'updated'}: {ids or 'no ids'}"
    yield from (f"note: {note}" for note in receipt.notes)
    if receipt.url:
        yield receipt.url


def _content_and_pause(journey: Journey) -> Iterator[str]:
    if journey.lead is None and journey.delivery.state is not DeliveryState.SKIPPED:
        yield "its content is no longer kept here"
    state = journey.destination
    if state.pause_kind:
        yield f"the destination is paused ({state.pause_kind}): {state.pause_reason}"


def _add_record(branch: Tree, name: str, record: Record) -> None:
    under = branch.add(plain(f"record {name}"))
    for mode, values in _modes(record):
        for field_name, value in values.items():
            how = "" if mode == "values" else f"  ({mode.replace('_', ' ')})"
            under.add(plain(f"{field_name}: {_cut(value)}{how}"))


def _suggest(tree: Tree, suggestion: str | None) -> None:
    if suggestion:
        tree.add(plain(f"what to do: {suggestion}", "bold"))


def _cut(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(str(value))} characters)"


def _modes(record: Record) -> list[tuple[str, Any]]:
    return [(mode.name, getattr(record, mode.name)) for mode in fields(record)]


# -------------------------------------------------------------------------------- for programs


def _as_json(story: Story) -> dict[str, Any]:
    return {
        "conversation": _timed(story.conversation) if story.conversation else None,
        "events": [_timed(event) for event in story.events],
        "suggestion": story.suggestion,
        "destinations": [_journey_as_json(journey) for journey in story.journeys],
    }


def _timed(found: Any) -> dict[str, Any]:
    """Return a row of the ledger with its times in ISO 8601."""
    values = {one.name: getattr(found, one.name) for one in fields(found)}
    return {name: iso(value) if name.endswith("_at") else value for name, value in values.items()}


def _journey_as_json(journey: Journey) -> dict[str, Any]:
    delivery = {
        name: value for name, value in _timed(journey.delivery).items() if name not in {"lead", "receipt"}
    }
    delivery["failing_since"] = iso(journey.delivery.failing_since)
    receipt, lead = journey.receipt, journey.lead
    state = journey.destination
    return {
        **delivery,
        "delivered_is_current": journey.is_current,
        "receipt": {one.name: getattr(receipt, one.name) for one in fields(receipt)} if receipt else None,
        "answers": _answers_as_json(lead.answers.values()) if lead else None,
        "records": _records_as_json(lead) if lead else None,
        "paused": {"as": state.pause_kind, "reason": state.pause_reason, "until": iso(state.paused_until)}
        if state.pause_kind
        else None,
        "suggestion": journey.suggestion,
    }


def _answers_as_json(answers: Any) -> Sequence[dict[str, Any]]:
    return [
        {
            "name": answer.name,
            "value": answer.value,
            "question": answer.question,
            "message_ids": answer.message_ids,
            "strategy": answer.strategy,
            "earlier": _answers_as_json(answer.earlier),
            "more": answer.more,
        }
        for answer in answers
    ]


def _records_as_json(lead: Lead) -> dict[str, Any]:
    return {
        name: {mode: dict(values) for mode, values in _modes(record)} for name, record in lead.records.items()
    }
