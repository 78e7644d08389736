"""Leads for tests: rich, minimal, hostile. Their personal data is unmistakable, so that leaks are found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from chatferry.model import (
    Answer,
    Author,
    AuthorKind,
    Conversation,
    Lead,
    Message,
    Record,
    Satisfaction,
    Transaction,
    Value,
    Visitor,
)
from chatferry.testing.shape import Shape

PERSONAL = ("quetzalcoatl", "xanthippe", "brzeczyszczykiewicz", "199001234", "kumquat marmalade")
"""Parts of the personal data of every lead, in lower case: no log line and no error may contain them."""

HOSTILE: Mapping[str, str] = MappingProxyType(
    {
        "emoji": "👩🏽\u200d🚀 thanks 🎉",
        "line-ends": "one\r\ntwo\nthree\rfour",
        "formula": '=HYPERLINK("http://example.org";"click")',
        "command": "@SUM(1+1)*cmd|' /C calc'!A0",
        "right-to-left": "\u200fשלום\u200e مرحبا",  # noqa: RUF001  (the point of it)
        "markup": "<script>alert('x')</script> &amp; <b>",
        "quotes": """'; DROP TABLE leads; -- "quoted", (a;b) \\n""",
        "templates": "{{ 7 * 7 }} ${jndi:ldap://example.org} %s %(name)s {0}",
        "tabs": "\ttab\u00a0no-break\u2028line",
        "combining": "Ame\u0301lie Z\u0351\u036b\u0343a\u0321l",
    }
)
"""Texts that every CRM can store and that careless code breaks, by kind."""

UNSTORABLE: Mapping[str, str] = MappingProxyType(
    {"null-byte": "before\x00after", "lone-surrogate": "before\ud83dafter", "controls": "a\x01b\x1bc\x7fd"}
)
"""Texts that some CRMs refuse whatever a connector does."""

_START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def make_lead(
    number: int = 1,
    *,
    visitor: int | None = None,
    with_email: bool = True,
    transcript: str | None = None,
    records: Mapping[str, Record] | None = None,
) -> Lead:
    """Return a complete lead. Equal numbers give equal leads.

    :param visitor: the number of the visitor; ``number`` when not given.
    :param transcript: the transcript's text; a short one when not given.
    :param records: the mapped records.
    """
    person = _visitor(number if visitor is None else visitor, with_email=with_email)
    conversation = _conversation(number, person)
    text = transcript if transcript is not None else f"Visitor: kumquat marmalade, please ({number})"
    email = person.email.lower() if person.email else None
    return Lead(
        key=conversation.key,
        contact_key=email or f"visitor:ha-335-{person.id}",
        email=email,
        conversation=conversation,
        answers={
            "Q1": Answer(name="Q1", value="kumquat marmalade", message_ids=("m2",), strategy="markers"),
            "transcript": Answer(
                name="transcript", value=text, message_ids=("m1", "m2"), strategy="transcript"
            ),
        },
        records=dict(records or {}),
    )


def _visitor(number: int, *, with_email: bool) -> Visitor:
    return Visitor(
        id=f"00000000-0000-4000-9000-{number:012d}",
        first_name="Xanthippe",
        last_name=f"Brzeczyszczykiewicz {number}",
        email=f"Quetzalcoatl.{number}@example.org" if with_email else None,
        phone="+33 199001234",
        country="FR",
    )


def _conversation(number: int, visitor: Visitor) -> Conversation:
    bot = Author(kind=AuthorKind.BOT, id="ha-7", name="Bot")
    person = Author(kind=AuthorKind.VISITOR, id=visitor.id, name=visitor.first_name)
    return Conversation(
        id=f"00000000-0000-4000-8000-{number:012d}",
        platform="ha",
        client_id=335,
        project_id=1549,
        project_name="Shop",
        channel="CHAT",
        language="en",
        created_at=_START + timedelta(minutes=number),
        closed_at=_START + timedelta(minutes=number + 5),
        duration=300.0,
        operator_ids=(7,),
        visitor=visitor,
        messages=(
            Message(id="m1", at=_START, author=bot, text="[](Q1)What do you look for?"),
            Message(id="m2", at=_START, author=person, text="kumquat marmalade"),
        ),
        tags=("shop",),
        satisfaction=Satisfaction(csat=5, nps=9),
        transactions=(Transaction(id="t1", amount=12.5, currency="EUR", at=_START),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFactory:
    """Makes leads whose records fit the objects of one CRM; either object may be missing."""

    contact: Shape | None = None
    conversation: Shape | None = None
    required: str = "Xanthippe Ltd"
    """What fills a required field."""
    keys: dict[str, set[str]] = field(
        default_factory=lambda: defaultdict(set), init=False, repr=False, compare=False
    )
    """By object, the keys of the leads made so far: no record of the account has another one."""

    def ordinary(
        self,
        number: int = 1,
        *,
        visitor: int | None = None,
        with_email: bool = True,
        contact: Mapping[str, Value] | None = None,
        conversation: Mapping[str, Value] | None = None,
    ) -> Lead:
        """Return a lead with the usual fields, those given put in their place."""
        lead = make_lead(number, visitor=visitor, with_email=with_email)
        owner = number if visitor is None else visitor
        return self._mapped(lead, owner, contact or {}, conversation or {})

    def rich(self, number: int = 1) -> Lead:
        """Return a lead that fills every field the contract knows of."""
        return self.ordinary(
            number, contact=_all_fields(self.contact), conversation=_all_fields(self.conversation)
        )

    def poorest(self, number: int = 1) -> Lead:
        """Return a lead of an erased visitor who said nothing: ids, and what the CRM requires."""
        conversation = Conversation(id=f"00000000-0000-4000-8000-{number:012d}", platform="ha", client_id=335)
        return self._register_keys(
            Lead(
                key=conversation.key,
                contact_key=f"conversation:{conversation.key}",
                conversation=conversation,
                records={shape.name: Record(values=self._required(shape)) for shape in self.shapes},
            )
        )

    def hostile(self, text: str, number: int = 1) -> Lead:
        """Return a lead that holds ``text`` wherever a text can be."""
        return self.ordinary(
            number,
            contact={self.contact.text: text} if self.contact else None,
            conversation={self.conversation.text: text} if self.conversation else None,
        )

    def several(self, count: int) -> list[Lead]:
        """Return ``count`` different ordinary leads of as many visitors."""
        return [self.ordinary(number) for number in range(1, count + 1)]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The objects there are, the contact first."""
        return tuple(shape for shape in (self.contact, self.conversation) if shape)

    def _mapped(
        self, lead: Lead, owner: int, contact: Mapping[str, Value], conversation: Mapping[str, Value]
    ) -> Lead:
        records: dict[str, Record] = {}
        if shape := self.contact:
            usual: dict[str, Value] = {shape.text: f"Xanthippe {owner}", shape.other: "kept"}
            if shape.email and lead.email:
                usual[shape.email] = lead.email
            records[shape.name] = Record(values={**self._required(shape), **usual, **contact})
        if shape := self.conversation:
            number = lead.key[-3:]
            usual = {shape.text: f"Chat {number}", shape.other: "kept"}
            if shape.long:
                usual[shape.long] = lead.transcript
            records[shape.name] = Record(values={**self._required(shape), **usual, **conversation})
        return self._register_keys(replace(lead, records=records))

    def _register_keys(self, lead: Lead) -> Lead:
        for shape in self.shapes:
            self.keys[shape.name].add(lead.contact_key if shape is self.contact else lead.key)
        return lead

    def _required(self, shape: Shape) -> dict[str, Value]:
        return {shape.required: self.required} if shape.required else {}


def _all_fields(shape: Shape | None) -> dict[str, Value]:
    if shape is None:
        return {}
    picked = {shape.picklist.field: shape.picklist.good} if shape.picklist else {}
    return {**shape.samples, **picked}
