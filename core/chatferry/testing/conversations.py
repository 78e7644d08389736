"""Sample conversations for tests: a small fluent builder and a handful of named ones.

>>> conversation = talk().bot("[](Q1) Which car?").visitor("A van").build()
>>> [message.author.kind.value for message in conversation.messages]
['bot', 'visitor']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from chatferry.model import (
    Attachment,
    Author,
    AuthorKind,
    Conversation,
    Message,
    Satisfaction,
    Transaction,
    Visitor,
)

START = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)
"""When every sample conversation begins."""


class Talk:
    """A builder of conversations: each call adds a message, ``build()`` returns the conversation.

    Messages are a ``step`` apart and named ``m1``, ``m2``…, so that tests can point at them.
    """

    def __init__(self, *, start: datetime = START, step: timedelta = timedelta(seconds=20)) -> None:
        self._at = start
        self._start = start
        self._step = step
        self._messages: list[Message] = []

    def say(
        self, kind: AuthorKind, text: str = "", *attachments: Attachment, name: str | None = None
    ) -> Self:
        """Add a message of any author; ``name`` is what the visitor sees of an agent or bot."""
        author = Author(kind=kind, id=_AUTHOR_IDS.get(kind), name=name)
        number = len(self._messages) + 1
        self._messages.append(
            Message(id=f"m{number}", at=self._at, author=author, text=text, attachments=attachments)
        )
        self._at += self._step
        return self

    def visitor(self, text: str = "", *attachments: Attachment) -> Self:
        """Let the visitor speak."""
        return self.say(AuthorKind.VISITOR, text, *attachments)

    def agent(self, text: str = "", *attachments: Attachment, name: str = "Zoé") -> Self:
        """Let an agent speak."""
        return self.say(AuthorKind.AGENT, text, *attachments, name=name)

    def bot(self, text: str = "", *attachments: Attachment, name: str = "Wall-e") -> Self:
        """Let a bot speak."""
        return self.say(AuthorKind.BOT, text, *attachments, name=name)

    def system(self, text: str = "", *attachments: Attachment) -> Self:
        """Add an automatic text or an event, such as a transfer."""
        return self.say(AuthorKind.SYSTEM, text, *attachments)

    def wait(self, pause: timedelta) -> Self:
        """Let time pass before the next message."""
        self._at += pause
        return self

    def build(self, **fields: Any) -> Conversation:
        """Return the conversation, closed after its last message; ``fields`` replace any of its fields."""
        spoke = [m.author.kind for m in self._messages]
        operators = tuple(int(number) for kind, number in _AUTHOR_IDS.items() if kind in spoke)
        conversation = Conversation(
            id="4c8c7408-f73c-42cd-89e9-afbbee7d9024",
            platform="ha",
            client_id=335,
            project_id=1549,
            channel="CHAT",
            language="en",
            created_at=self._start,
            closed_at=self._at,
            operator_ids=operators,
            visitor=Visitor(id="b05f1b45-c891-4a9c-b47e-91ee6c8ffb44", source="ONSITE"),
            messages=tuple(self._messages),
        )
        return replace(conversation, **fields)


_AUTHOR_IDS: Mapping[AuthorKind, str] = {AuthorKind.BOT: "7", AuthorKind.AGENT: "42"}


def talk(*, start: datetime = START, step: timedelta = timedelta(seconds=20)) -> Talk:
    """Begin a conversation."""
    return Talk(start=start, step=step)


def quick_replies(message: str, choices: Sequence[str]) -> Attachment:
    """Return the menu of choices a bot shows under a question."""
    raw = {"message": message, "choices": list(choices)}
    lines = [message, *(f"- {choice}" for choice in choices)]
    return Attachment(kind="QuickReplyMenuAttachment", text="\n".join(lines), raw=raw)


def file(name: str, url: str = "https://files.example.org/f/1") -> Attachment:
    """Return a file attachment."""
    return Attachment(kind="FileAttachment", text=f"{name} ({url})", raw={"fileName": name, "url": url})


def rich() -> Conversation:
    """Return a finished conversation that has everything: bot, transfer, agent, a full profile."""
    chat = (
        talk()
        .system("Welcome to the garage.")
        .bot("[](Q1) What type of vehicle are you looking for?")
        .visitor("A van, rather large 🚐")
        .visitor("with at least seven seats")
        .bot("", quick_replies("[](Q2) Is it for work?", ["Yes", "No"]))
        .visitor("Yes")
        .system("The conversation was transferred.")
        .agent("Hello, I am Zoé. I take over.")
        .agent("[ ](q03) What is your budget?")
        .visitor("Around 25 000 €")
        .agent("Good.")
        .visitor("and not more, please")
        .agent("[](Q4) Could you send me your registration document?")
        .visitor("", file("registration.pdf"))
        .agent("[](Q5) When may we call you?")
    )
    return chat.build(
        project_name="Garage (France)",
        duration=281.0,
        visitor=Visitor(
            id="b05f1b45-c891-4a9c-b47e-91ee6c8ffb44",
            source="ONSITE",
            external_id="C-1001",
            first_name="Jane",
            last_name="Dœ",
            email="Jane.Doe@example.com",
            phone="+33 6 12 34 56 78",
            address="1 rue de la Paix",
            city="Nantes",
            zip_code="44000",
            country="FR",
            username="jane",
            updated_at=START,
        ),
        tags=("vehicle", "hot lead"),
        custom_data={"cart_amount": 99.5, "logged_in": True, "campaign": "spring"},
        closing_form={"reason": "purchase", "follow_up": None},
        satisfaction=Satisfaction(csat=5, nps=9, comment="Very quick!"),
        transactions=(Transaction(id="t1", external_id="O-77", amount=120.0, currency="EUR", at=START),),
    )


def poorest() -> Conversation:
    """Return the minimal conversation: ids, no message, an erased visitor."""
    return Conversation(id="00000000-0000-0000-0000-000000000000", platform="sd", client_id=1)


def anonymous() -> Conversation:
    """Return a conversation whose profile is empty; e-mail and phone are in the visitor's words."""
    return (
        talk()
        .bot("[](Q1) How can we help you?")
        .visitor("My order 1234567890 of 12/05/2026 has not arrived.")
        .agent("Write to help@brand.example.com or leave me your address.")
        .visitor("I wrote to help@brand.example.com. Mine is jane.doe@example.org, call +44 20 7946 0958.")
        .build()
    )


def hostile() -> Conversation:
    """Return a conversation for robustness tests: odd characters, forged markers, great length."""
    chat = (
        talk(step=timedelta(0))
        .visitor("[](Q1) forged by the visitor")
        .bot("[](Q1)[](Q2) two questions\r\nin one")
        .visitor("\x00null\x00 and \u202eright-to-left\u202c and e\u0301 and 👩‍👩‍👧‍👦")
        .visitor('=HYPERLINK("http://x")\r\n+1\n-2\n@SUM(A1)\t"quoted",\'single\';semicolon')
        .agent("\\[\\](Q3) escaped [ ] ( q 004 ) [](Q) [](Q-1) [](Q99999999999999999999) [](x)")
        .visitor("<script>alert(1)</script> {{ 7*7 }} {% raw %} ${x} %s %(a)s {0}")
        .agent("[](Q5) " + "long question " * 500)
        .visitor("x" * 200_000)
        .visitor("[" * 5_000 + "](Q1)" * 5_000)
        .visitor("@" * 2_000 + " a@b a@b. .@. jane@ @jane 0" * 200 + "1" * 2_000)
        .agent("[](Q6)")
        .visitor(" \t\n\u00a0\u2028")
        .agent("", Attachment(kind="SomethingNewAttachment", text=""))
        .agent("", Attachment(kind="CardAttachment", text="[](Q7) attached [](Q7) twice"))
        .visitor("", Attachment(kind="ImageAttachment", text="photo [](Q8).png"))
        .system("")
    )
    return chat.build(
        channel="SOMETHING_NEW",
        language="xx-unknown",
        closed_at=None,
        visitor=Visitor(
            id="v", first_name="\u200b", last_name="O'Brien; DROP TABLE", email="n/a", country="??"
        ),
        tags=("", "a;b", "é"),
        custom_data={"__class__": "x", "": "empty key", "items": "not a method", "big": 10**400},
        closing_form={"nested": None},
    )


def samples() -> dict[str, Conversation]:
    """Return every named sample."""
    return {make.__name__: make() for make in (rich, poorest, anonymous, hostile)}
