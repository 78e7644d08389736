from __future__ import annotations

import logging
import socket
import threading
import traceback
import uuid

import pytest
from flask import Flask, jsonify, request
from private_values import IADVIZE_PASSWORD, IADVIZE_USER

from chatferry.emulators import Server
from chatferry.emulators.iadvize import IAdvizeWorld, create_app
from chatferry.errors import PlatformAuthFailure, PlatformAway, PlatformUnavailable
from chatferry.http.token_store import LOGINS_A_MINUTE, AccessToken, MemoryTokens
from chatferry.iadvize.client import IAdvize
from chatferry.iadvize.login import Login
from chatferry.settings.model import ClientSettings
from chatferry.settings.secrets import Secret

DAY = 86_400.0


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world():
    """The emulator with its login limits."""
    with IAdvizeWorld(conversations=3) as world, Server(create_app(world)) as server:
        world.url = server.url
        yield world


def settings(world, **options):
    return ClientSettings(
        **{
            "platform": "ha",
            "client_id": 335,
            "username": Secret(IADVIZE_USER, "env:IADVIZE_USER"),
            "password": Secret(IADVIZE_PASSWORD, "env:IADVIZE_PASSWORD"),
            "api_url": world.url,
            "timeout": 5.0,
        }
        | options
    )


def test_one_login_serves_for_almost_a_day(world, clock):
    login = Login(settings(world), MemoryTokens(), clock)
    first = login.token()
    clock.now += DAY - 301
    assert login.token() == first
    clock.now += 2
    assert login.token() != first
    assert world.tokens.given == 2


def test_processes_share_a_key(world, clock):
    store = MemoryTokens()
    logins = [Login(settings(world), store, clock) for _ in range(3)]
    assert len({login.token().value for login in logins}) == 1
    assert world.tokens.given == 1


def test_threads_log_in_once_at_a_time(world, clock):
    store = MemoryTokens()
    threads = [threading.Thread(target=Login(settings(world), store, clock).token) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.tokens.given == 1


def test_a_refused_key_is_replaced_and_a_newer_one_kept(world, clock):
    store = MemoryTokens()
    one, other = Login(settings(world), store, clock), Login(settings(world), store, clock)
    old = one.token()
    assert other.token() == old
    one.refuse(old)
    new = one.token()
    other.refuse(old)
    assert other.token() == new != old
    assert world.tokens.given == 2


def test_a_platform_that_gives_short_lived_keys_is_not_asked_each_time(clock):
    app = Flask("platform")
    app.post("/oauth2/token")(lambda: jsonify(access_token=f"key-{clock.now}", expires_in=60))
    with Server(app) as server:
        login = Login(
            ClientSettings(
                platform="ha", client_id=1, username=Secret("u"), password=Secret("p"), api_url=server.url
            ),
            MemoryTokens(),
            clock,
        )
        first = login.token()
        clock.now += 50
        assert login.token() == first
        clock.now += 5
        assert login.token() != first


def test_no_more_than_ten_logins_a_minute(world, clock):
    login = Login(settings(world), MemoryTokens(), clock)
    for _ in range(LOGINS_A_MINUTE):
        login.refuse(login.token())
    with pytest.raises(PlatformUnavailable) as failure:
        login.token()
    assert failure.value.retry_after == 60.0
    assert world.tokens.given + world.tokens.refused == LOGINS_A_MINUTE


@pytest.mark.parametrize(("fault", "wait"), [("login-limited=20:x1", 20.0), ("login-limited:x1", 60.0)])
def test_a_platform_that_limits_logins_is_left_alone(world, clock, fault, wait):
    world.faults.switch_on(fault)
    store = MemoryTokens()
    for expected in (wait, wait - 1):
        with pytest.raises(PlatformUnavailable) as failure:
            Login(settings(world), store, clock).token()
        assert failure.value.retry_after == expected
        clock.now += 1
    clock.now += wait
    Login(settings(world), store, clock).token()
    assert world.tokens.given == 1


@pytest.mark.parametrize(
    "options", [{"password": Secret("wr0ng", "env:P")}, {"username": Secret("x@y.z", "env:P")}]
)
def test_wrong_credentials_are_named_by_their_place_and_never_shown(world, clock, options):
    with pytest.raises(PlatformAuthFailure, match=r"client 335; check .*env:P") as failure:
        Login(settings(world, **options), MemoryTokens(), clock).token()
    shown = "".join(traceback.format_exception(failure.value))
    assert "wr0ng" not in shown
    assert "x@y.z" not in shown


@pytest.mark.parametrize("answer", ["<html>", "{}", "[]", '{"access_token": "a\\nb"}', '{"access_token": 1}'])
def test_another_answer_than_a_key_is_no_key(clock, answer):
    app = Flask("platform")
    app.post("/oauth2/token")(lambda: answer)
    with Server(app) as server:
        someone = ClientSettings(
            platform="ha", client_id=1, username=Secret("u"), password=Secret("p"), api_url=server.url
        )
        with pytest.raises(PlatformUnavailable, match="token endpoint"):
            Login(someone, MemoryTokens(), clock).token()


def test_a_token_endpoint_that_fails_is_asked_once_a_reading():
    attempts = []
    app = Flask("platform")
    app.post("/oauth2/token")(lambda: (attempts.append(1) or "", 502))
    with Server(app) as server:
        someone = ClientSettings(
            platform="ha", client_id=1, username=Secret("u"), password=Secret("p"), api_url=server.url
        )
        client = IAdvize(someone, MemoryTokens())
        found = client.fetch([str(uuid.uuid4()) for _ in range(8)])
        client.close()
    assert {type(outcome) for outcome in found.values()} == {PlatformAway}
    assert len(attempts) == 1


def test_a_platform_out_of_reach_costs_no_login(world, clock):
    store = MemoryTokens()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        away = f"http://127.0.0.1:{listener.getsockname()[1]}"  # nobody listens there after the block
    for _ in range(LOGINS_A_MINUTE + 2):
        with pytest.raises(PlatformUnavailable, match="could not be reached"):
            Login(settings(world, api_url=away), store, clock).token()
        clock.now += 1


def test_who_has_to_wait_for_a_login_learns_how_the_last_one_failed(world, clock):
    login = Login(settings(world, password=Secret("wr0ng", "env:P")), MemoryTokens(), clock)
    for _ in range(LOGINS_A_MINUTE):
        with pytest.raises(PlatformAuthFailure):
            login.token()
    with pytest.raises(PlatformUnavailable, match="in a minute; the last one was refused"):
        login.token()


def test_the_password_travels_in_the_body_and_nowhere_else(clock):
    seen = []
    app = Flask("platform")

    @app.post("/oauth2/token")
    def token():
        seen.append((request.url, dict(request.headers), request.form.to_dict()))
        return jsonify(access_token="key")

    with Server(app) as server:
        someone = ClientSettings(
            platform="ha",
            client_id=1,
            username=Secret("u&x"),
            password=Secret("pass word"),
            api_url=server.url,
        )
        Login(someone, MemoryTokens(), clock).token()
    url, headers, form = seen[0]
    assert form == {"username": "u&x", "password": "pass word", "grant_type": "password"}
    assert "Authorization" not in headers
    assert "pass" not in url


def test_nothing_secret_or_personal_is_logged_or_shown(world, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # other clients of it set its level for good
    store = MemoryTokens()
    client = IAdvize(settings(world), store)
    found = client.fetch(world.ids[:1])[world.ids[0]]
    client.close()
    token = Login(settings(world), store).token()
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert "/graphql" in logged
    for secret in (
        IADVIZE_PASSWORD,
        IADVIZE_USER,
        token.value.reveal(),
        *(m.text for m in found.messages[:5]),
    ):
        assert not secret or secret not in logged
    assert token.value.reveal() not in repr(
        (token, client, store, AccessToken(value=token.value, renew_at=0.0))
    )
