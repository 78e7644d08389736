"""``contact``: an e-mail and a telephone number from the visitor's own words, if the profile has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, TypeAlias

from marshmallow import Schema, ValidationError, fields, validate

from chatferry.leads.emails import may_hold_email, plain, usable_email, valid_email, written_in
from chatferry.leads.quotes import own_words
from chatferry.leads.strategies.phones import may_hold_number, numbers_in, region_of, usable_phone
from chatferry.leads.transcripts import readable
from chatferry.model import Answer, AuthorKind, Conversation
from chatferry.strategy import Strategy

_Find: TypeAlias = tuple[str, str]
"""The id of a message and what was found in it."""


def _region(name: str) -> None:
    if len(name) != 2 or not name.isalpha():  # noqa: PLR2004  (ISO 3166 codes have two letters)
        raise ValidationError(f'"{name}" is no country code; write two letters, as in FR')


class ContactSettings(Schema):
    """The options of ``contact``."""

    regions = fields.List(fields.String(validate=_region), load_default=tuple)
    ignore = fields.List(fields.String(validate=validate.Length(min=3)), load_default=tuple)
    take = fields.String(load_default="first", validate=validate.OneOf(["first", "last"]))


class Contact(Strategy):
    """Answers ``email`` and ``phone``, each the first valid one the visitor wrote.

    ``take = "last"`` prefers corrections. ``regions`` are the countries whose national numbers are
    understood; without, it is the visitor's country or, if that is unknown, the chat's. ``ignore``
    lists addresses and domains that are never the visitor's; one that the brand's side wrote first
    is not either. Numbers come in the international form, ``+33612345678``.
    """

    name: ClassVar[str] = "contact"
    Settings: ClassVar[type[Schema]] = ContactSettings

    def extract(self, conversation: Conversation, found: Mapping[str, Answer]) -> Iterable[Answer]:
        """Return what the profile and earlier strategies lack."""
        visitor = conversation.visitor
        if "email" not in found and not usable_email(visitor.email):
            yield from self._chosen("email", self._emails(conversation))
        if "phone" not in found and not usable_phone(visitor.phone):
            yield from self._chosen("phone", self._phones(conversation))

    def _chosen(self, name: str, finds: Iterator[_Find]) -> Iterator[Answer]:
        """Take the first or the last find. An address repeated later still came from its first message."""
        firsts: dict[str, str] = {}
        for message_id, value in finds:
            firsts[value] = firsts.pop(value, message_id)
            if self.settings.get("take") != "last":
                break
        if firsts:
            value, message_id = firsts.popitem()
            yield Answer(name=name, value=value, message_ids=(message_id,), strategy=self.name)

    def _emails(self, conversation: Conversation) -> Iterator[_Find]:
        ignored = tuple(plain(entry).lower() for entry in self.settings.get("ignore", ()))
        theirs: set[str] = set()
        for message in conversation.messages:
            if not message.attachments and not may_hold_email(message.text):
                continue
            words = readable(message)
            if message.author.kind is AuthorKind.VISITOR:
                words = own_words(words)
            written = filter(None, map(valid_email, written_in(words)))
            if message.author.kind is not AuthorKind.VISITOR:
                theirs.update(address.lower() for address in written)
                continue
            for address in written:
                whole = address.lower()
                if whole not in theirs and whole not in ignored and whole.rpartition("@")[2] not in ignored:
                    yield message.id, address

    def _phones(self, conversation: Conversation) -> Iterator[_Find]:
        regions: tuple[str, ...] = ()
        before = ""
        for message in conversation.messages:
            if message.author.kind is not AuthorKind.VISITOR:
                before = message.text or next(message.texts, before)
            elif message.attachments or may_hold_number(message.text):
                regions = regions or tuple(self.settings.get("regions") or region_of(conversation))
                for number in numbers_in(own_words(readable(message)), before=before, regions=regions):
                    yield message.id, number
