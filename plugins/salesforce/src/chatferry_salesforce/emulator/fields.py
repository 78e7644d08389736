"""The fields of an object, as describe shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SOAP = {"boolean": "xsd:boolean", "double": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field."""

    name: str
    type: str = "string"
    """string, textarea, email, phone, url, picklist, reference, boolean, double, date, datetime or id."""
    length: int = 255
    required: bool = False
    writeable: bool = True
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    values: tuple[str, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    default: Any = None
    custom: bool = False

    @property
    def is_lookup(self) -> bool:
        """Whether records can be found by it."""
        return self.external_id or self.type in {"email", "id"}

    def describe(self) -> dict[str, Any]:
        """Return what describe says of it."""
        return {
            "name": self.name,
            "label": self.name.removesuffix("__c").replace("_", " "),
            "type": self.type,
            "length": self.length if self.type not in {"boolean", "double", "date", "datetime"} else 0,
            "nillable": not self.required,
            "createable": self.writeable,
            "updateable": self.writeable,
            "defaultedOnCreate": self.default is not None,
            "externalId": self.external_id,
            "idLookup": self.is_lookup,
            "unique": self.unique,
            "caseSensitive": self.case_sensitive,
            "custom": self.custom,
            "restrictedPicklist": self.restricted,
            "picklistValues": [
                {"active": True, "label": value, "value": value, "defaultValue": value == self.default}
                for value in self.values
            ],
            "referenceTo": list(self.reference_to),
            "relationshipName": self.relationship,
            "soapType": _SOAP.get(self.type, "xsd:string"),
        }


def text(name: str, length: int = 255, **more: Any) -> Field:
    """Return a field for a text."""
    return Field(name=name, length=length, **more)


def lookup(name: str, to: tuple[str, ...], relationship: str, **more: Any) -> Field:
    """Return a field that names another record."""
    return Field(name=name, type="reference", length=18, reference_to=to, relationship=relationship, **more)


def picklist(name: str, *values: str, **more: Any) -> Field:
    """Return a field with a list of values, which takes others unless it is restricted."""
    return Field(name=name, type="picklist", values=values, **more)
