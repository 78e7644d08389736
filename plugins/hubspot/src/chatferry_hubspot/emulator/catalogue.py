"""Object types: the built-in contacts and notes, and custom ones (HubSpot docs, 'Custom objects')."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chatferry_hubspot.emulator.properties import Property
from chatferry_hubspot.emulator.records import Table

STAGES = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)

_CONTACT_TEXTS = (
    "email firstname lastname phone mobilephone company website jobtitle address city state zip country "
    "message industry hs_language salutation fax hubspot_owner_id"
)


@dataclass(slots=True, kw_only=True)
class ObjectType:
    """A kind of record: its names, its properties and its records."""

    type_id: str
    name: str
    singular: str
    plural: str
    fully_qualified_name: str
    properties: dict[str, Property]
    groups: dict[str, str]
    required: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    """Properties a read returns when it asks for none."""
    stamps: tuple[str, str] = ("hs_createdate", "hs_lastmodifieddate")
    schema: dict[str, Any] | None = None
    """The schema a custom type was created with; None for built-in types."""
    created: float = 0.0
    updated: float = 0.0
    table: Table = field(default_factory=Table)

    @property
    def custom(self) -> bool:
        """Whether it is a custom object type."""
        return self.schema is not None

    @property
    def system(self) -> tuple[str, ...]:
        """Properties every answer holds."""
        return ("hs_object_id", *self.stamps)

    def scope(self, action: str) -> str:
        """Return the scope for ``read`` or ``write``; notes go with contacts."""
        return f"crm.objects.{'custom' if self.custom else 'contacts'}.{action}"

    def schema_scope(self, action: str) -> str:
        """Return the scope for its definitions."""
        return f"crm.schemas.{'custom' if self.custom else 'contacts'}.{action}"

    def answers_to(self, name: str) -> bool:
        """Whether ``name`` in a path is this type."""
        singular = self.singular.lower() if not self.custom else self.name
        return name in {self.type_id, self.name, self.fully_qualified_name, singular}

    def add(self, definition: Property) -> None:
        """Define a property."""
        self.properties[definition.name] = definition
        if definition.unique:
            self.table.index(definition.name)

    def remove(self, name: str) -> None:
        """Archive a property."""
        del self.properties[name]
        self.table.drop_index(name)


def system_properties(group: str, stamps: tuple[str, str]) -> list[Property]:
    """Return the properties HubSpot fills in itself."""
    own = [
        Property(name="hs_object_id", label="Record ID", type="number", field_type="number"),
        *(Property(name=name, label=name, type="datetime", field_type="date") for name in stamps),
        Property(name="hs_merged_object_ids", label="Merged record IDs"),
    ]
    return [replace(one, group_name=group, hubspot_defined=True, read_only=True) for one in own]


def contacts() -> ObjectType:
    """Return the built-in contacts; e-mails are unique, in ``hs_additional_emails`` too."""
    kind = ObjectType(
        type_id="0-1",
        name="contacts",
        singular="Contact",
        plural="Contacts",
        fully_qualified_name="CONTACT",
        properties={},
        groups={"contactinformation": "Contact information"},
        shown=("email", "firstname", "lastname"),
        stamps=("createdate", "lastmodifieddate"),
    )
    kind.table.index("email")
    texts = [Property(name=name, label=name.capitalize()) for name in _CONTACT_TEXTS.split()]
    stage = Property(
        name="lifecyclestage",
        label="Lifecycle stage",
        type="enumeration",
        field_type="radio",
        options=tuple(
            {"label": stage, "value": stage, "displayOrder": place, "hidden": False, "description": ""}
            for place, stage in enumerate(STAGES)
        ),
    )
    more = Property(name="hs_additional_emails", label="Additional email addresses", read_only=True)
    return _built_in(kind, [*texts, stage, more])


def notes() -> ObjectType:
    """Return the built-in notes; ``hs_timestamp`` is required."""
    kind = ObjectType(
        type_id="0-46",
        name="notes",
        singular="Note",
        plural="Notes",
        fully_qualified_name="NOTE",
        properties={},
        groups={"note": "Note information"},
        required=("hs_timestamp",),
    )
    own = [
        Property(name="hs_timestamp", label="Activity date", type="datetime", field_type="date"),
        Property(name="hs_note_body", label="Note body", field_type="html"),
        Property(name="hs_attachment_ids", label="Attachments"),
        Property(name="hubspot_owner_id", label="Activity assigned to"),
    ]
    return _built_in(kind, own)


def _built_in(kind: ObjectType, own: Sequence[Property]) -> ObjectType:
    """Define a built-in type's properties, in its only group."""
    [group] = kind.groups
    for definition in [*system_properties(group, kind.stamps), *own]:
        kind.add(replace(definition, group_name=group, hubspot_defined=True))
    return kind
