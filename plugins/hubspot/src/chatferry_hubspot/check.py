"""What ``check`` looks at: the token, its scopes, the plan, and every property that is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from chatferry import AuthFailure, DeliveryError, Finding, QuotaExhausted, RateLimited
from chatferry_hubspot.answers import Forbidden, Refused
from chatferry_hubspot.client import Client
from chatferry_hubspot.definitions import (
    Definitions,
    check_properties,
    check_unique,
    choices_of,
    definitions,
)
from chatferry_hubspot.fields import CONTACT, CONVERSATION, expected
from chatferry_hubspot.findings import ok, warning, wrong
from chatferry_hubspot.paths import Path
from chatferry_hubspot.settings import OBJECT_TYPE_ID, Storage
from chatferry_hubspot.storage import CONTACT_TYPE, CONTACTS, NOTES, Chooser, Home

Fields = Mapping[str, tuple[str, ...]]
_NAMES = {Storage.CUSTOM_OBJECT: "custom objects", Storage.NOTES: "notes"}


def check_account(client: Client, chooser: Chooser, fields: Fields) -> Sequence[Finding]:
    """Look at everything a delivery needs, and write nothing."""
    look = _Look(client, chooser, fields)
    findings: list[Finding] = []
    try:
        for finding in chain(look.at_contacts(), look.at_conversations()):
            findings.append(finding)  # noqa: PERF402  (what was found before an error is kept)
    except AuthFailure as error:
        return [wrong("token", str(error))]
    except (RateLimited, QuotaExhausted) as error:
        findings.append(warning("HubSpot", f"{error}; the rest was not looked at"))
    except DeliveryError as error:
        findings.append(wrong("HubSpot", f"{error}; the rest was not looked at"))
    if look.missing:
        findings.insert(1, wrong("scopes", name_scopes(look.missing)))
    return findings


def name_scopes(missing: Sequence[Forbidden]) -> str:
    """Return all scopes HubSpot asks for; where one of several will do and none is named yet, as a choice."""
    plain = dict.fromkeys(error.scopes[0] for error in missing if len(error.scopes) == 1)
    choices = [" or ".join(error.scopes) for error in missing if plain.keys().isdisjoint(error.scopes)]
    named = [*plain, *dict.fromkeys(choice for choice in choices if choice)]
    if not named:
        return str(missing[0])
    return f"HubSpot misses scopes (403): grant {', '.join(named)} to the token"


class _Look:
    """One look at an account. A scope that is missing hides what it is for, and nothing else."""

    def __init__(self, client: Client, chooser: Chooser, fields: Fields) -> None:
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
            home = self._chooser.home(fresh=True)
        except Forbidden as error:
            self.missing.append(error)
            return
        except (AuthFailure, RateLimited, QuotaExhausted):
            raise
        except DeliveryError as error:
            yield wrong("conversations", str(error))
            return
        yield ok("conversations", f"are written as {_NAMES[home.storage]}: {home.reason}")
        yield from self._access(home.object_type)
        held = self._definitions(home.object_type)
        if held is not None:
            yield from self._notes(home) if home.storage is Storage.NOTES else self._records(home, held)

    def _notes(self, home: Home) -> Iterator[Finding]:
        subject = f"{NOTES}.{self._client.options.note_property}"
        if home.keyed:
            yield ok(subject, "is unique: a note is found by it")
        else:
            yield warning(
                subject, "is no unique property here: notes are found by the ids that are kept of them"
            )

    def _records(self, home: Home, held: Definitions) -> Iterator[Finding]:
        options = self._client.options
        yield check_unique(held, CONVERSATION, options.conversation_property)
        yield from check_properties(held, CONVERSATION, expected(self._fields, CONVERSATION, options.types))
        if not self._tied(home.object_type):
            yield wrong(CONVERSATION, "has no association with contacts: run provision")

    def _definitions(self, kind: str) -> Definitions | None:
        """Return an object's properties, None if they are not ours to see."""
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

    def _tied(self, object_type: str) -> bool:
        """Return whether records of the object can be tied to contacts, or that is not ours to see."""
        try:
            return bool(self._client.ask(Path.LABELS, object=object_type, to=CONTACT_TYPE))
        except Forbidden as error:
            self.missing.append(error)
            return True
        except Refused:
            return False
