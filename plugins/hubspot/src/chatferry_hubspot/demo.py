"""What ``chatferry demo`` delivers to: an emulated HubSpot account, set up as ``provision`` does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests

from chatferry import Secret
from chatferry.emulators import Server
from chatferry.emulators.stage import Arrived, Stage
from chatferry_hubspot.client import HubSpotClient
from chatferry_hubspot.emulator import EMULATOR
from chatferry_hubspot.properties import CONTACT, CONVERSATION, DEFAULT_MAPPING
from chatferry_hubspot.provision import apply, plan
from chatferry_hubspot.settings import Options
from chatferry_hubspot.storage import CONTACTS

_TOKEN = "pat-emulator"  # noqa: S105  (it opens an emulator)
_VARIABLE = "HUBSPOT_TOKEN"
_ANSWERS = {f"chat_q{number}": f"answers.Q{number}" for number in range(1, 5)}


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Serve an account on the loopback for as long as the block lasts; leave what it held in a file."""
    left = directory / "hubspot.json"
    mapping = {**DEFAULT_MAPPING, CONVERSATION: {**DEFAULT_MAPPING[CONVERSATION], **_ANSWERS}}
    with Server(EMULATOR.create(faults=EMULATOR.board())) as server, requests.Session() as session:
        session.trust_env = False
        options = Options(access_token=Secret(_TOKEN), base_url=server.url)
        _provision(options, {kind: tuple(fields) for kind, fields in mapping.items()})
        yield Stage(
            held=lambda: _held(_state(session, options), options),
            settings={"access_token": f"env:{_VARIABLE}", "base_url": server.url},
            environ={_VARIABLE: _TOKEN},
            mapping=mapping,
            places=[str(left)],
        )
        left.write_text(json.dumps(_state(session, options), ensure_ascii=False, indent=1), encoding="utf-8")


class _Forgetful:
    """A memory for a client with a static token, which has nothing to remember."""

    def get(self, key: str) -> None:
        """Know nothing."""

    def put(self, key: str, value: str) -> None:
        """Keep nothing."""

    def forget(self, key: str) -> None:
        """Forget nothing."""


def _provision(options: Options, fields: Mapping[str, tuple[str, ...]]) -> None:
    with closing(HubSpotClient(options, _Forgetful())) as client:
        client.begin(None)
        for _ in apply(client, plan(client, fields)):
            pass


def _state(session: requests.Session, options: Options) -> Mapping[str, Any]:
    """Read everything the account holds, from outside its API."""
    state: Mapping[str, Any] = session.get(f"{options.base_url}/_emulator/state", timeout=30).json()
    return state


def _held(state: Mapping[str, Any], options: Options) -> Iterator[Arrived]:
    """Return every live conversation and the contact it is associated with."""
    live = {
        one["id"]: one["properties"]
        for records in state["records"].values()
        for one in records
        if not one["archived"]
    }
    contacts = {one["id"] for one in state["records"].get(CONTACTS, ())}
    contacts_of = _associated(state["associations"], contacts)
    for identity, properties in live.items():
        if key := properties.get(options.conversation_property):
            contact = contacts_of.get(identity, "")
            records = {CONTACT: live.get(contact, {}), CONVERSATION: properties}
            yield Arrived(key=key, contact=contact or f"none of {key}", records=records)


def _associated(associations: Sequence[Mapping[str, Any]], contacts: set[str]) -> Mapping[str, str]:
    """Return the contact each record is associated with, by the record's id."""
    ends = [(one["from"]["id"], one["to"]["id"]) for one in associations]
    both = [*ends, *((other, end) for end, other in ends)]
    return {end: other for end, other in both if other in contacts}
