"""What is to be known of a visitor as a contact, and by which unique property the contact is found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from chatferry import Lead
from chatferry_hubspot.fields import CONTACT
from chatferry_hubspot.reads import EMAIL
from chatferry_hubspot.records import Properties, properties_of
from chatferry_hubspot.settings import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is to be known of one contact, and the unique property it is found by."""

    id_property: str
    id: str = field(repr=False)
    properties: Properties = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """What two cards of one contact share."""
        return self.id_property, self.id

    def without(self, name: str) -> Card:
        """Return the card without one of its properties."""
        kept = {key: value for key, value in self.properties.values.items() if key != name}
        return replace(self, properties=replace(self.properties, values=kept))


def card_of(lead: Lead, options: Options) -> Card:
    """Return a lead's contact.

    With an e-mail the whole set of mapped properties goes with it, for HubSpot knows no partial
    upsert by e-mail; the visitor's id is then a property like another. A visitor without e-mail
    and id is known by the conversation.
    """
    mapped = properties_of(lead, CONTACT, types=options.types)
    everything = mapped.against(None)
    email = (everything.get(EMAIL) or lead.email or "").strip().lower()
    visitor = lead.visitor.id or ("" if email else lead.contact_key or lead.key)
    values = dict(mapped.values)
    if visitor:
        values[options.visitor_property] = visitor
    if email:
        values[EMAIL] = email
    create_only = dict(mapped.create_only)
    if options.lifecycle_stage and "lifecyclestage" not in everything:
        create_only["lifecyclestage"] = options.lifecycle_stage
    properties = replace(mapped, values=values, create_only=create_only)
    if email:
        return Card(id_property=EMAIL, id=email, properties=properties)
    return Card(id_property=options.visitor_property, id=visitor, properties=properties)
