"""Property definitions: validation and JSON (HubSpot docs, 'Properties API')."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chatferry_hubspot.emulator.errors import ApiError, invalid

UNIQUE_LIMIT = 10
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_FIELDS = {
    "string": {"text", "textarea", "phonenumber", "html", "file", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox", "calculation_equation"},
    "bool": {"booleancheckbox", "calculation_equation"},
}
_CHANGEABLE = {
    "label": "label",
    "description": "description",
    "groupName": "group_name",
    "fieldType": "field_type",
    "hidden": "hidden",
    "displayOrder": "display_order",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of an object type."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group_name: str = ""
    description: str = ""
    options: tuple[dict[str, Any], ...] = ()
    unique: bool = False
    hubspot_defined: bool = False
    read_only: bool = False
    hidden: bool = False
    display_order: int = -1

    def to_json(self) -> dict[str, Any]:
        """Return the definition as HubSpot writes it."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "groupName": self.group_name,
            "description": self.description,
            "options": list(self.options),
            "hasUniqueValue": self.unique,
            "hubspotDefined": self.hubspot_defined,
            "hidden": self.hidden,
            "displayOrder": self.display_order,
            "calculated": False,
            "externalOptions": False,
            "formField": False,
            "archived": False,
            "dataSensitivity": "non_sensitive",
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
        }


def read_property(body: Mapping[str, Any], *, group: str | None = None) -> Property:
    """Validate the definition of a new property; ``group`` is the default group.

    :raises ApiError: if HubSpot would refuse it.
    """
    needed = ("name", "label", "type", "fieldType") + (() if group else ("groupName",))
    missing = [key for key in needed if not isinstance(body.get(key), str) or not body[key]]
    if missing:
        raise invalid(f"Some required fields were not set: [{', '.join(missing)}]")
    name, kind, field = body["name"], body["type"], body["fieldType"]
    if not _NAME.fullmatch(name):
        raise invalid(
            f"Property name {name!r} must be lower case, start with a letter and hold letters, digits and _"
        )
    if kind not in _FIELDS:
        raise invalid(f"{kind} is not a property type; there are {', '.join(_FIELDS)}")
    if field not in _FIELDS[kind]:
        raise invalid(f"fieldType {field} is not valid for type {kind}")
    return Property(
        name=name,
        label=body["label"],
        type=kind,
        field_type=field,
        group_name=body.get("groupName") or group or "",
        description=body.get("description") or "",
        options=_options(kind, field, body.get("options") or ()),
        unique=_unique(kind, body),
        hidden=bool(body.get("hidden")),
        display_order=body.get("displayOrder") or -1,
    )


def _unique(kind: str, body: Mapping[str, Any]) -> bool:
    unique = bool(body.get("hasUniqueValue"))
    if unique and kind not in {"string", "number"}:
        raise invalid(f"A property of type {kind} can not have unique values")
    return unique


def _options(kind: str, field: str, given: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    if kind == "enumeration" and not given and field != "booleancheckbox":
        raise invalid("An enumeration property needs options")
    options = []
    for position, option in enumerate(given):
        if not isinstance(option, Mapping) or not {"label", "value"} <= option.keys():
            raise invalid(f"options[{position}] needs a label and a value")
        options.append(
            {
                "label": str(option["label"]),
                "value": str(option["value"]),
                "description": option.get("description") or "",
                "displayOrder": option.get("displayOrder", position),
                "hidden": bool(option.get("hidden")),
            }
        )
    values = [option["value"] for option in options]
    if len(set(values)) != len(values):
        raise invalid("Options must have unique values")
    return tuple(options)


def change_property(definition: Property, body: Mapping[str, Any]) -> Property:
    """Return the changed definition; ``hasUniqueValue`` can be set at creation only."""
    if definition.hubspot_defined and body.keys() - {"label", "description", "options"}:
        raise ApiError(400, "VALIDATION_ERROR", f"{definition.name} is defined by HubSpot")
    if "hasUniqueValue" in body and body["hasUniqueValue"] != definition.unique:
        raise invalid("hasUniqueValue can only be set when a property is created")
    changes: dict[str, Any] = {_CHANGEABLE[key]: value for key, value in body.items() if key in _CHANGEABLE}
    if "options" in body:
        changes["options"] = _options(definition.type, definition.field_type, body["options"])
    return replace(definition, **changes)
