"""What passes but for one defect: it logs what is private. ``test_private_logs.py`` runs these."""

from __future__ import annotations

import logging
from contextlib import closing

import pytest
import structlog
from flask import request
from private_values import (
    DATABASE_PASSWORD,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_REFRESH_TOKEN,
    IADVIZE_PASSWORD,
    IADVIZE_USER,
    WEBHOOK_SECRET,
)
from sqlalchemy import event as sql_event
from web_process import Web, event

from chatferry.accept.acceptance import Acceptance
from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, create_app
from chatferry.http.token_store import MemoryTokens
from chatferry.http.tokens import RefreshGrant, read_token
from chatferry.iadvize.client import IAdvize
from chatferry.iadvize.login import Login
from chatferry.iadvize.signature import HEADER, sign
from chatferry.ledger import Ledger
from chatferry.settings.model import ClientSettings, IAdvizeSettings, Settings
from chatferry.settings.secrets import Secret
from chatferry.testing import DictMemory
from chatferry.web import app as web_app

log = structlog.get_logger()


@pytest.fixture
def world():
    with IAdvizeWorld(seed=3, conversations=3) as made:
        yield made


@pytest.fixture
def client(world):
    with Server(create_app(world)) as server:
        yield ClientSettings(
            platform="ha",
            client_id=335,
            username=Secret(IADVIZE_USER, "env:IADVIZE_USER"),
            password=Secret(IADVIZE_PASSWORD, "env:IADVIZE_PASSWORD"),
            api_url=server.url,
        )


@pytest.fixture
def ledger(tmp_path):
    with closing(Ledger.open(f"sqlite:///{tmp_path}/ledger.db")) as opened:
        yield opened


def test_a_login_logs_the_token(client):
    token = Login(client, MemoryTokens()).token()
    log.debug("logged in", token=token.value.reveal())


def test_a_login_logs_the_password(client):
    with structlog.testing.capture_logs():
        log.bind(form={"password": client.password.reveal()}).warning("login refused")


def test_a_reading_logs_the_visitor(client, world):
    with closing(IAdvize(client, MemoryTokens())) as iadvize:
        for conversation in iadvize.fetch(world.ids).values():
            log.info("read", visitor=conversation.visitor.__getstate__())


def test_a_reading_logs_a_message(client, world):
    with closing(IAdvize(client, MemoryTokens())) as iadvize:
        for conversation in iadvize.fetch(world.ids).values():
            log.info("read", said=[message.text for message in conversation.messages])


def test_the_ledger_logs_its_parameters(ledger, client):
    @sql_event.listens_for(ledger.database.engine, "before_cursor_execute")
    def shown(_connection, _cursor, statement, parameters, *_):
        log.debug(statement, parameters=parameters)

    Login(client, ledger.tokens).token()


def test_the_ledger_logs_its_address():
    error = ConnectionError(f"postgresql://ferryman:{DATABASE_PASSWORD}@localhost/chatferry")
    logging.getLogger("chatferry.ledger").error("the ledger is away", exc_info=error)


def test_the_endpoint_logs_a_body(ledger, tmp_path):
    secret = Secret(WEBHOOK_SECRET, "env:IADVIZE_SECRET")
    settings = Settings(directory=tmp_path, iadvize=IAdvizeSettings(secrets=(secret,)))
    accept = Acceptance(settings, ledger.events).accept
    app = web_app.create_app(accept, ledger.ping, body_limit=10_000)
    app.before_request(lambda: log.info("arrived", body=request.get_data()))
    raw = event(comment="reach me at jane@example.org")
    headers = {HEADER: sign(secret, raw), "Content-Type": "application/json"}
    assert app.test_client().post("/webhooks/iadvize", data=raw, headers=headers).status_code == 204


def test_a_refused_signature_is_logged_with_the_secret():
    structlog.contextvars.bind_contextvars(secret=WEBHOOK_SECRET)
    log.warning("webhook refused")
    structlog.contextvars.clear_contextvars()


def test_a_rotation_logs_the_new_tokens():
    product = pytest.importorskip("chatferry_hubspot.emulator", reason="its plugin is installed")
    session = pytest.importorskip("requests").Session()
    board = product.EMULATOR.board()
    with session, Server(product.EMULATOR.create(faults=board, rotate=True)) as server:

        def exchange(form):
            answer = session.post(f"{server.url}/oauth/2026-09/token", data=form, timeout=10).json()
            logging.getLogger("chatferry_hubspot").debug("renewed", extra={"answer": answer})
            return answer

        logging.getLogger("chatferry_hubspot").setLevel(logging.DEBUG)
        RefreshGrant(
            client_id="client-emulator",
            client_secret=Secret(HUBSPOT_CLIENT_SECRET),
            refresh_token=Secret(HUBSPOT_REFRESH_TOKEN),
            memory=DictMemory(),
            exchange=exchange,
            read=read_token,
        )()
        logging.getLogger("chatferry_hubspot").setLevel(logging.NOTSET)


def test_a_server_of_its_own_logs_an_address(tmp_path):
    with closing(Web(tmp_path)), (tmp_path / "log.txt").open("a") as file:
        file.write("accepted jane@example.org\n")


def test_nothing_private_is_logged(client, world):
    with closing(IAdvize(client, MemoryTokens())) as iadvize:
        found = iadvize.fetch(world.ids)
    log.info("read", conversations=list(found), client=client, secret=client.password)
