"""Lists in properties that take several options of HubSpot's own: written as HubSpot wants them.

A mapping gives a list as one text, its items joined by "; ". Which properties take several options
is asked for when HubSpot first refuses an option, and remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatferry.records import Fields
from chatferry_hubspot.client import HubSpotClient
from chatferry_hubspot.storage import definitions

INVALID_OPTION = "INVALID_OPTION"


class Checkboxes:
    """The properties with several options, by the object they are of, and what the options are called."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self._known: dict[str, Mapping[str, Mapping[str, str]]] = {}

    def learn(self, kind: str) -> bool:
        """Ask which properties of an object take several options; return False if that was done before.

        :raises DeliveryError: if HubSpot does not say.
        """
        if kind in self._known:
            return False
        held = definitions(self._client, kind)
        self._known[kind] = {
            name: _options(one) for name, one in held.items() if one.get("fieldType") == "checkbox"
        }
        return True

    def fit(self, kind: str, properties: Fields) -> Fields:
        """Return a record with the lists of options as HubSpot takes them, by internal name or label.

        An option that HubSpot does not have is left out with a note, except where that is not wanted.
        """
        for name, options in self._known.get(kind, {}).items():
            if name in properties.names:
                properties = self._fitted(properties, name, options)
        return properties

    def _fitted(self, properties: Fields, name: str, options: Mapping[str, str]) -> Fields:
        unknown: list[str] = []

        def fit(values: Mapping[str, str]) -> Mapping[str, str]:
            if not values.get(name):
                return values
            items = [item.strip() for item in values[name].split(";") if item.strip()]
            found = [options[item.casefold()] for item in items if item.casefold() in options]
            unknown.extend(item for item in items if item.casefold() not in options)
            if unknown and self._client.options.strict:
                found = items
            rest = {key: value for key, value in values.items() if key != name}
            return {**rest, name: ";".join(dict.fromkeys(found))} if found else rest

        fitted = properties.changed(fit)
        if not unknown or self._client.options.strict:
            return fitted
        note = f"{name}: options left out that HubSpot does not have: {len(unknown)}"
        return fitted.without((), note)


def _options(definition: Mapping[str, Any]) -> dict[str, str]:
    """Return the internal name of each option, by itself and by its label."""
    listed = definition.get("options")
    options = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    names = {str(one.get("label")).casefold(): str(one["value"]) for one in options if "value" in one}
    return names | {str(one["value"]).casefold(): str(one["value"]) for one in options if "value" in one}
