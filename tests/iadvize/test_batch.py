"""Documents that are split until they pass, over real HTTP: what is learnt of it, and what is not."""

from __future__ import annotations

import pytest
import structlog
from flask import request
from private_values import IADVIZE_PASSWORD, IADVIZE_USER
from structlog.testing import capture_logs

from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, create_app
from chatferry.http.token_store import MemoryTokens
from chatferry.iadvize.client import IAdvize
from chatferry.model import Conversation
from chatferry.settings.model import ClientSettings
from chatferry.settings.secrets import Secret

FAILURES = [400, 500, 503]
"""Refused, overwhelmed, away: what a platform may make of a document."""


class Moody:
    """An emulated iAdvize that fails over documents as a test says."""

    def __init__(self, world, app):
        self.world = world
        self.documents = 0
        self.fails = lambda _ids: None
        app.before_request(self._look)

    def _look(self):
        variables = (request.get_json(silent=True) or {}).get("variables") or {}
        ids = {variables[name] for name in variables if name[0] == "i" and name[1:].isdigit()}
        if not ids:
            return None
        self.documents += 1
        status = self.fails(ids)
        return ("", status) if status else None


@pytest.fixture(autouse=True)
def _logs_everything():
    """Whatever an earlier test of this process chose to leave out."""
    structlog.reset_defaults()


@pytest.fixture
def moody():
    with IAdvizeWorld(conversations=50) as world:
        app = create_app(world)
        made = Moody(world, app)
        with Server(app) as server:
            client = IAdvize(
                ClientSettings(
                    platform="ha",
                    client_id=335,
                    username=Secret(IADVIZE_USER),
                    password=Secret(IADVIZE_PASSWORD),
                    api_url=server.url,
                ),
                MemoryTokens(),
            )
            made.client = client
            yield made
            client.close()


def read(moody, ids=None):
    """The ids of those that were read."""
    found = moody.client.fetch(ids or moody.world.ids)
    return {identity for identity, outcome in found.items() if isinstance(outcome, Conversation)}


@pytest.mark.parametrize("status", FAILURES)
def test_a_conversation_that_fails_alone_says_nothing_about_sizes(moody, status):
    poison = moody.world.ids[7]
    moody.fails = lambda ids: status if poison in ids else None
    for _ in range(3):
        assert read(moody, [poison]) == set()
    assert moody.client.batch_size == 50


@pytest.mark.parametrize("status", FAILURES)
def test_a_conversation_that_fails_costs_its_companions_nothing_but_time(moody, status):
    *others, poison = moody.world.ids
    moody.fails = lambda ids: status if poison in ids else None
    for _ in range(3):
        found = read(moody)
    assert found == set(others)
    assert moody.client.batch_size == 50


@pytest.mark.parametrize("status", FAILURES)
def test_four_conversations_far_apart_that_fail_cost_the_others_nothing_but_time(moody, status):
    poisons = {moody.world.ids[place] for place in (0, 16, 33, 49)}
    moody.fails = lambda ids: status if poisons & ids else None
    found = set()
    for _ in range(6):
        found |= read(moody, [one for one in moody.world.ids if one not in found])
    assert found == set(moody.world.ids) - poisons


@pytest.mark.parametrize("status", FAILURES)
def test_documents_that_are_too_large_get_smaller(moody, status):
    moody.fails = lambda ids: status if len(ids) > 10 else None
    for _ in range(3):
        found = read(moody)
    assert found == set(moody.world.ids)
    assert 5 <= moody.client.batch_size <= 10


def test_an_outage_costs_a_document_and_then_a_probe_at_a_time(moody):
    moody.fails = lambda _ids: 503
    costs = []
    for _ in range(6):
        before = moody.documents
        assert read(moody) == set()
        costs.append(moody.documents - before)
    assert costs == [11, 1, 1, 1, 1, 1]  # the first reading looks for a conversation that is at fault
    moody.fails = lambda _ids: None
    assert read(moody) == set(moody.world.ids)
    assert moody.client.batch_size == 50


def test_the_log_says_once_that_nothing_can_be_read_and_once_that_it_can(moody):
    with capture_logs() as said:
        read(moody)
        moody.fails = lambda _ids: 503
        for _ in range(4):
            read(moody)
        moody.fails = lambda _ids: None
        read(moody)
        read(moody)
    away, back = said
    assert (away["event"], away["log_level"], away["client"]) == ("iadvize cannot be read", "error", "ha/335")
    assert "HTTP 503" in away["reason"]
    assert back["event"] == "iadvize can be read again"
