from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import pytest
import requests
from flask import Flask, request

from chatferry.emulators import Emulator
from chatferry.testing import EmulatorHarness, Shape, Trouble
from chatferry.testing.sample import SampleConnector


def create(*, faults, greeting):
    app = Flask("acme")
    app.received = []

    @app.get("/")
    def root():
        app.received.append(request.args.get("who"))
        limited = faults.strikes("429")
        return (limited.value or "", 429) if limited else (greeting, 200)

    return app


class AcmeHarness(EmulatorHarness):
    connector = SampleConnector
    capabilities = frozenset()
    contact = Shape(name="contact", text="Name", other="Notes")
    emulator = Emulator(name="acme", summary="A CRM.", create=create, faults={"429": "Too fast."})
    troubles = MappingProxyType({Trouble.TOO_FAST: "429=30", Trouble.RECORD_REFUSED: "429"})

    def options(self):
        return {"greeting": "hello"}

    def settings(self):
        return {"url": self.url}

    def held(self, name):
        raise NotImplementedError(name)


@pytest.fixture
def crm(tmp_path):
    with AcmeHarness(tmp_path) as crm:
        yield crm


def get(crm, *, who="", request_timeout=5):
    answer = requests.get(crm.settings()["url"], params={"who": who}, timeout=request_timeout)
    return answer.status_code, answer.text


def test_the_emulator_is_served_with_its_options(crm):
    assert get(crm) == (200, "hello")


def test_a_trouble_is_the_emulators_fault_until_it_behaves(crm):
    crm.misbehave(Trouble.TOO_FAST)
    assert get(crm) == get(crm) == (429, "30")
    crm.behave()
    assert get(crm) == (200, "hello")


def test_a_trouble_can_strike_so_many_times(crm):
    crm.misbehave(Trouble.TOO_FAST, times=1)
    assert [get(crm)[0], get(crm)[0]] == [429, 200]


def test_the_key_of_a_record_becomes_the_faults_value(crm):
    crm.misbehave(Trouble.RECORD_REFUSED, key="ada@example.org")
    assert get(crm) == (429, "ada@example.org")


def test_a_fault_that_has_a_value_keeps_it(crm):
    crm.misbehave(Trouble.TOO_FAST, key="ada@example.org")
    assert get(crm) == (429, "30")


@pytest.mark.parametrize(
    ("trouble", "received"), [("TIMEOUT_BEFORE", []), ("TIMEOUT_AFTER", ["ada@example.org"])]
)
def test_a_silence_lasts_until_the_crm_behaves(crm, trouble, received):
    crm.misbehave(Trouble[trouble], times=1)
    with pytest.raises(requests.ReadTimeout):
        get(crm, who="ada@example.org", request_timeout=0.2)
    assert crm.app.received == received
    assert get(crm) == (200, "hello")  # the second request is not blocked
    crm.behave()
    assert get(crm) == (200, "hello")


def test_a_request_that_outlasts_a_time_out_gets_no_good_answer(crm):
    crm.misbehave(Trouble.TIMEOUT_AFTER)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(get, crm)
        while not crm.app.received:
            assert not waiting.done()
        crm.behave()
        assert waiting.result() == (503, "")


def test_a_silence_can_be_aimed_at_the_request_that_names_a_record(crm):
    crm.misbehave(Trouble.TIMEOUT_BEFORE, key="ada@example.org")
    assert get(crm, who="eve@example.org") == (200, "hello")
    with pytest.raises(requests.ReadTimeout):
        get(crm, who="ada@example.org", request_timeout=0.2)


def test_nothing_listens_after_close(tmp_path):
    with AcmeHarness(tmp_path) as crm:
        url = crm.url
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
