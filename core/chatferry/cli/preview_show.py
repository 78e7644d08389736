"""Show a preview as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from chatferry.cli.output import plain, table
from chatferry.cli.previewing import Preview
from chatferry.leads.transcripts import readable
from chatferry.model import Answer, Conversation, Message, Record

_LONGEST = 100
"""Characters of a text that a table shows."""
_STYLES = {"deliver": "green", "skip": "yellow", "park": "yellow", "wait": "yellow", "fail": "red"}


def show(out: Console, conversation: Conversation, previews: Sequence[Preview]) -> None:
    """Print a preview."""
    out.print(table(f"Conversation {conversation.key}", ("", ""), _summary(conversation)))
    said = [
        (_moment(message.at), message.author.kind, message.id, _short(text))
        for message in conversation.messages
        if (text := readable(message))
    ]
    out.print(table("What was said", ("At", "By", "Message", "Text"), said))
    for one in previews:
        out.print(plain(f"\nDestination {one.destination}: {one.verdict}", f"bold {_STYLES[one.verdict]}"))
        out.print(plain(one.reason))
        for failure in one.failures:
            out.print(plain(failure, "red"))
        answers = [
            (answer.name, _short(answer.value), answer.strategy, "\n".join(answer.message_ids))
            for answer in one.lead.answers.values()
        ]
        if answers:
            out.print(table("Answers", ("Answer", "Value", "Found by", "In the messages"), answers))
        for kind, record in one.records.items():
            rows = [(name, mode, _short(_text(value))) for name, mode, value in _fields(record)]
            out.print(table(f"Record {kind}", ("Field", "Mode", "Value"), rows))


def as_json(conversation: Conversation, previews: Sequence[Preview]) -> dict[str, Any]:
    """Return a preview for programs, with every text in full."""
    return {
        "conversation": {name.replace(" ", "_"): value for name, value in _summary(conversation)},
        "messages": [_message(message) for message in conversation.messages],
        "destinations": [
            {
                "name": one.destination,
                "verdict": one.verdict,
                "reason": one.reason,
                "failures": list(one.failures),
                "key": one.lead.key,
                "contact_key": one.lead.contact_key,
                "answers": [_answer(answer) for answer in one.lead.answers.values()],
                "records": {
                    kind: [
                        {"field": name, "mode": mode, "value": _text(value)}
                        for name, mode, value in _fields(record)
                    ]
                    for kind, record in one.records.items()
                },
            }
            for one in previews
        ],
    }


def _summary(conversation: Conversation) -> Iterator[tuple[str, Any]]:
    visitor = conversation.visitor
    yield "id", conversation.id
    yield "client", f"{conversation.platform}/{conversation.client_id}"
    yield "project", conversation.project_name or conversation.project_id
    yield "channel", conversation.channel
    yield "language", conversation.language
    yield "created at", _moment(conversation.created_at)
    yield "closed at", _moment(conversation.closed_at) or "still running"
    yield "operators", ", ".join(map(str, conversation.operator_ids))
    yield "visitor", " ".join(filter(None, [visitor.first_name, visitor.last_name])) or visitor.id
    yield "email", visitor.email
    yield "phone", visitor.phone
    yield "tags", ", ".join(conversation.tags)


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "at": _moment(message.at),
        "by": message.author.kind,
        "text": readable(message),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "name": answer.name,
        "value": answer.value,
        "strategy": answer.strategy,
        "messages": list(answer.message_ids),
    }


def _fields(record: Record) -> Iterator[tuple[str, str, Any]]:
    for mode, values in (
        ("overwrite", record.values),
        ("fill-if-empty", record.fill_if_empty),
        ("create-only", record.create_only),
    ):
        for name, value in values.items():
            yield name, "clear" if value is None else mode, value


def _text(value: Any) -> Any:
    return _moment(value) if isinstance(value, datetime) else value


def _moment(value: datetime | None) -> str:
    return value.isoformat(sep=" ", timespec="seconds") if value else ""


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
