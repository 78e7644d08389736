"""A thousand leads, one in a hundred bad, while one call in twenty meets a fault, until nothing waits."""

from __future__ import annotations

import random

import pytest
from flask import request
from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN

from chatferry import PermanentFailure, Receipt, Secret
from chatferry.emulators import Fault, FaultBoard
from chatferry_hubspot.emulator.faults import FAULTS, OAUTH

RATE = 0.05
SECONDS = {"slow": "0.01", "timeout-before-commit": "1.05", "timeout-after-commit": "1.05"}
"""The connectors of these tests wait one second for an answer."""
OF_DATA = {"400", "409", "414", "422"}
"""A refusal. Of a call with one record it means that record, rightly, so these strike only several."""


class ShuffledFaults(FaultBoard):
    """Switches on every kind of fault the emulator offers, shuffled, and again when all have struck.

    The first kind strikes one call in twenty that it can strike; then the next one follows. A kind
    for token calls, which are few, strikes the first of them.
    """

    def __init__(self, *, seed: int) -> None:
        super().__init__(FAULTS, seed=seed)
        self._chance = random.Random(seed)
        self._left: list[str] = []
        self._switch_to_next()

    def _switch_to_next(self) -> None:
        if not self._left:
            self._left = self._chance.sample(sorted(FAULTS), len(FAULTS))
        name = self._left.pop()
        self.switch_off()
        value = f"={SECONDS[name]}" if name in SECONDS else ""
        self.switch_on(f"{name}{value}:{1 if name in OAUTH else RATE}")

    def strikes(self, name: str) -> Fault | None:
        if name in OF_DATA and len((request.get_json(silent=True) or {}).get("inputs", ())) < 2:
            return None
        fault = super().strikes(name)
        if fault is not None:
            self._switch_to_next()
        return fault


OAUTH_APP = {
    "strict": True,
    "client_id": "client-emulator",
    "client_secret": Secret(HUBSPOT_CLIENT_SECRET),
    "refresh_token": Secret(HUBSPOT_REFRESH_TOKEN),
}


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["enterprise", "professional"])
def test_every_good_lead_is_there_once_and_every_bad_one_dead_with_hubspots_message(
    start, lead, deliver, plan
):
    """As custom objects, and as notes that have no key."""
    account = start(plan=plan, provisioned=plan == "enterprise", burst=10**6, daily=10**8)
    if plan == "professional":
        body = {"name": "chat_visitor_id", "label": "Visitor", "type": "string", "fieldType": "text"}
        more = {"hasUniqueValue": True, "groupName": "contactinformation"}
        account.call("POST", "/crm/properties/2026-09/contacts", {**body, **more})
    account.connect(**OAUTH_APP).check()
    account.call("DELETE", "/_emulator/calls")
    deck = account.app.misbehaviour.board = ShuffledFaults(seed=2)

    leads = [lead(n, email=f"bad address {n}" if n % 100 == 50 else "") for n in range(1000)]
    done, dead = drive(account, deliver, leads)

    calls = account.call("GET", "/_emulator/calls")["total"]
    assert set(deck.struck) == set(FAULTS)
    assert 0.03 < sum(deck.struck.values()) / calls < 0.07
    assert set(dead) == {one.key for one in leads[50::100]}
    assert all(f"bad address {key[6:]} is invalid" in error.crm_message for key, error in dead.items())
    records = account.records("chat_conversation" if plan == "enterprise" else "notes")
    assert {one["id"] for one in records} == {receipt.ids["conversation"] for receipt in done.values()}
    assert len(records) == len(done) == len(account.records("contacts")) == 990


def drive(account, deliver, waiting):
    """Deliver as the engine does, two leads at a time: temporary again, permanent dead; often a restart."""
    done: dict[str, Receipt] = {}
    dead: dict[str, PermanentFailure] = {}
    connector = account.connect(**OAUTH_APP)
    for number in range(2000):
        if number % 4 == 3:
            connector.close()
            connector = account.connect(**OAUTH_APP)
        batch, waiting = waiting[:2], waiting[2:]
        if not batch:
            return done, dead
        for one, outcome in zip(batch, deliver(connector, *batch), strict=True):
            if isinstance(outcome, Receipt):
                done[one.key] = outcome
            elif isinstance(outcome, PermanentFailure):
                dead[one.key] = outcome
            else:
                waiting.append(one)
    raise AssertionError(f"{len(waiting)} leads still wait")
