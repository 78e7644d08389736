"""What ``check`` looks at: the token, its scopes, the plan, and every property that is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from chatferry import AuthFailure, DeliveryError, Finding, Level, QuotaExhausted, RateLimited
from chatferry_hubspot.answers import Forbidden, Refused
from chatferry_hubspot.client import HubSpotClient, Path
from chatferry_hubspot.properties import CONTACT, CONVERSATION, PROPERTY_KINDS, expected
from chatferry_hubspot.settings import OBJECT_TYPE_ID, Storage
from chatferry_hubspot.storage import (
    CONTACT_TYPE,
    CONTACTS,
    NOTES,
    ConversationStorage,
    Definitions,
    StorageChooser,
    definitions,
)

Fields = Mapping[str, tuple[str, ...]]
MOST_OPTIONS = 12
_NAMES = {Storage.CUSTOM_OBJECT: "custom objects", Storage.NOTES: "notes"}


def check_account(client: HubSpotClient, chooser: StorageChooser, fields: Fields) -> Sequence[Finding]:
    """Look at everything a delivery needs, and write nothing."""
    check = _AccountCheck(client, chooser, fields)
    findings: list[Finding] = []
    try:
        for finding in chain(check.at_contacts(), check.at_conversations()):
            findings.append(finding)  # noqa: PERF402  (what was found before an error is kept)
    except AuthFailure as error:
        return [wrong("token", str(error))]
    except (RateLimited, QuotaExhausted) as error:
        findings.append(warning("HubSpot", f"{error}; the rest was not looked at"))
    except DeliveryError as error:
        findings.append(wrong("HubSpot", f"{error}; the rest was not looked at"))
    if check.missing:
        findings.insert(1, wrong("scopes", name_scopes(check.missing)))
    return findings


def name_scopes(missing: Sequence[Forbidden]) -> str:
    """Return all scopes HubSpot asks for; where one of several will do and none is named yet, as a choice."""
    plain = dict.fromkeys(error.scopes[0] for error in missing if len(error.scopes) == 1)
    choices = [" or ".join(error.scopes) for error in missing if plain.keys().isdisjoint(error.scopes)]
    named = [*plain, *dict.fromkeys(choice for choice in choices if choice)]
    if not named:
        return str(missing[0])
    return f"HubSpot misses scopes (403): grant {', '.join(named)} to the token"


class _AccountCheck:
    """One look at an account. A scope that is missing hides what it is for, and nothing else."""

    def __init__(self, client: HubSpotClient, chooser: StorageChooser, fields: Fields) -> None:
        self._client = client
        self._chooser = chooser
        self._fields = fields
        self.missing: list[Forbidden] = []

    def at_contacts(self) -> Iterator[Finding]:
        options = self._client.options
        held = self._definitions(CONTACTS)
        yield ok("token", "HubSpot accepts it")
        yield from self._access(CONTACTS)
        if held is None:
            return
        yield check_unique(held, CONTACT, options.visitor_property)
        yield from check_properties(held, CONTACT, expected(self._fields, CONTACT, options.types))
        stages = choices_of(held.get("lifecyclestage", {}))
        if options.lifecycle_stage and options.lifecycle_stage not in stages:
            yield wrong("lifecycle_stage", f"is none of {', '.join(stages) or 'the stages of the account'}")

    def at_conversations(self) -> Iterator[Finding]:
        options = self._client.options
        if options.storage is Storage.CUSTOM_OBJECT and not OBJECT_TYPE_ID.match(options.object):
            self._may(Path.SCHEMAS)
        try:
            kept = self._chooser.storage(fresh=True)
        except Forbidden as error:
            self.missing.append(error)
            return
        except (AuthFailure, RateLimited, QuotaExhausted):
            raise
        except DeliveryError as error:
            yield wrong("conversations", str(error))
            return
        yield ok("conversations", f"are written as {_NAMES[kept.storage]}: {kept.reason}")
        yield from self._access(kept.object_type)
        held = self._definitions(kept.object_type)
        if held is not None:
            yield from self._notes(kept) if kept.storage is Storage.NOTES else self._records(kept, held)

    def _notes(self, kept: ConversationStorage) -> Iterator[Finding]:
        subject = f"{NOTES}.{self._client.options.note_property}"
        if kept.keyed:
            yield ok(subject, "is unique: a note is found by it")
        else:
            yield warning(
                subject, "is no unique property here: notes are found by the ids that are kept of them"
            )

    def _records(self, kept: ConversationStorage, held: Definitions) -> Iterator[Finding]:
        options = self._client.options
        yield check_unique(held, CONVERSATION, options.conversation_property)
        yield from check_properties(held, CONVERSATION, expected(self._fields, CONVERSATION, options.types))
        if not self._may_associate(kept.object_type):
            yield wrong(CONVERSATION, "has no association with contacts: run provision")

    def _definitions(self, kind: str) -> Definitions | None:
        """Return an object's properties, None if they may not be read."""
        try:
            return definitions(self._client, kind)
        except Forbidden as error:
            self.missing.append(error)
            return None

    def _access(self, kind: str) -> Iterator[Finding]:
        """Ask for a read and an upsert of nothing: HubSpot looks at the scopes before the inputs."""
        nothing: dict[str, Any] = {"inputs": []}
        allowed = [self._may(path, nothing, object=kind) for path in (Path.READ, Path.UPSERT)]
        if all(allowed):
            yield ok("scopes", f"{kind} can be read and written")

    def _may(self, path: Path, payload: Mapping[str, Any] | None = None, **parts: str) -> bool:
        try:
            self._client.call(path, payload, **parts)
        except Forbidden as error:
            self.missing.append(error)
            return False
        except Refused:
            pass
        return True

    def _may_associate(self, object_type: str) -> bool:
        """Return whether records of the object can be associated with contacts, or that may not be read."""
        try:
            return bool(self._client.ask(Path.LABELS, object=object_type, to=CONTACT_TYPE))
        except Forbidden as error:
            self.missing.append(error)
            return True
        except Refused:
            return False


def check_unique(held: Definitions, subject: str, name: str) -> Finding:
    """Return what is to be said of the property that records are found by."""
    definition = held.get(name)
    if definition is None:
        return wrong(f"{subject}.{name}", "does not exist: run provision")
    if definition.get("hasUniqueValue") is not True:
        return wrong(
            f"{subject}.{name}", "is not unique, which cannot be changed: choose another name in the settings"
        )
    return ok(f"{subject}.{name}", "exists and is unique")


def check_properties(held: Definitions, subject: str, wanted: Mapping[str, str | None]) -> Iterator[Finding]:
    """Return what is to be said of the mapped properties; those that simply fit share a finding."""
    fine: list[str] = []
    for name, kind in wanted.items():
        finding = _check_property(held.get(name), f"{subject}.{name}", kind)
        if finding is None:
            fine.append(name)
        else:
            yield finding
    if fine:
        yield ok(f"{subject} properties", f"exist: {', '.join(fine)}")


def _check_property(definition: Mapping[str, Any] | None, subject: str, kind: str | None) -> Finding | None:
    """Return what is to be said of a mapped property, None if it simply fits."""
    if definition is None:
        return wrong(subject, "does not exist: run provision, or correct the mapping")
    meta = definition.get("modificationMetadata")
    if definition.get("calculated") is True or (
        isinstance(meta, Mapping) and meta.get("readOnlyValue") is True
    ):
        return wrong(subject, "is read-only in HubSpot: take it out of the mapping")
    actual = definition.get("type")
    if actual == "enumeration":
        choices = choices_of(definition)
        shown = ", ".join(choices[:MOST_OPTIONS]) + (", …" if len(choices) > MOST_OPTIONS else "")
        return warning(subject, f"takes only these values: {shown}") if choices else None
    return _check_kind(actual, subject, kind)


def _check_kind(actual: object, subject: str, kind: str | None) -> Finding | None:
    """Return what is to be said of a property's type, given the one the settings name, if they do."""
    if kind is None and actual == "date":
        name = subject.rpartition(".")[2]
        return warning(subject, f'takes days: if a moment is mapped to it, set types.{name} = "date"')
    if kind is None or actual == PROPERTY_KINDS[kind][0]:
        return None
    if actual == "string":
        return warning(subject, f"is a text where a {kind} was expected: it will be written as text")
    return wrong(subject, f"has the type {actual}, not {PROPERTY_KINDS[kind][0]}")


def choices_of(definition: Mapping[str, Any]) -> list[str]:
    """Return the internal values of an enumeration."""
    options = definition.get("options")
    return [
        str(option["value"])
        for option in (options if isinstance(options, list) else ())
        if isinstance(option, Mapping) and "value" in option
    ]


def ok(subject: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(level=Level.OK, subject=subject, message=message)


def warning(subject: str, message: str) -> Finding:
    """Return a finding that the administrator should know of."""
    return Finding(level=Level.WARNING, subject=subject, message=message)


def wrong(subject: str, message: str) -> Finding:
    """Return a finding that keeps leads from being delivered."""
    return Finding(level=Level.ERROR, subject=subject, message=message)
