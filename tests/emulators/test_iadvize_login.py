from __future__ import annotations

import pytest

from chatferry.emulators.iadvize import IAdvizeWorld, Logins, create_app, make_clients
from chatferry.emulators.iadvize.phrases import load_phrases
from chatferry.emulators.iadvize.tokens import TokenIssuer

FORM = {"username": "a@example.com", "password": "right", "grant_type": "password"}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def issuer(clock):
    clients = make_clients(1, username="a@example.com", password="right", phrases=load_phrases())
    return TokenIssuer(clients, Logins(), clock=clock)


def test_a_user_logs_in_and_the_token_is_valid(served):
    answer = served.login()
    assert answer.status_code == 200
    assert set(answer.json()) == {"refresh_token", "token_type", "expires_in", "access_token"}
    assert answer.json()["expires_in"] == 86400
    assert served.bear().session.get(f"{served.url}/_authenticated").json() == {"authenticated": True}


def test_a_token_that_was_never_given_is_not_valid(serve):
    served = serve()
    served.session.headers["Authorization"] = "Bearer made-up"
    for answer in (served.session.get(f"{served.url}/_authenticated"), served.post("{ __typename }")):
        assert answer.status_code == 401
        assert answer.json() == {"error_description": "access token not valid", "error": "invalid_token"}


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"password": "wrong"}, "invalid_grant"),
        ({"username": "stranger@example.com"}, "invalid_grant"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"password": ""}, "invalid_request"),
    ],
)
def test_a_wrong_login_is_refused_with_an_error_object(serve, form, error):
    answer = serve().login(**form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_a_login_as_json_is_refused(serve):
    served = serve()
    answer = served.session.post(f"{served.url}/oauth2/token", json=FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_ten_logins_a_minute_then_the_user_is_blocked(issuer, clock):
    assert [issuer.login(FORM, "1.1.1.1").status for _ in range(11)] == [200] * 10 + [429]
    clock.now = 59.0
    assert issuer.login(FORM, "1.1.1.1").status == 429
    clock.now = 61.0
    assert issuer.login(FORM, "1.1.1.1").status == 200


def test_a_hundred_logins_a_minute_from_one_address_then_it_is_blocked(issuer):
    users = [FORM | {"username": f"user{number}@example.com"} for number in range(101)]
    assert [issuer.login(user, "1.1.1.1").status for user in users] == [400] * 100 + [429]
    assert issuer.login(FORM, "1.1.1.1").status == 429
    assert issuer.login(FORM, "2.2.2.2").status == 200


def test_the_limit_holds_over_http(serve):
    served = serve()
    assert [served.login().status_code for _ in range(12)] == [200] * 10 + [429] * 2


def test_a_token_ends_after_its_life(issuer, clock):
    header = f"Bearer {issuer.login(FORM, '1.1.1.1').body['access_token']}"
    clock.now = 86_399.0
    assert issuer.clients_of(header)
    clock.now = 86_400.0
    assert issuer.clients_of(header) is None


def test_revoked_tokens_are_refused_and_a_new_login_helps(served):
    assert served.session.post(f"{served.url}/_emulator/tokens/revoke").json() == {"revoked": 1}
    assert served.post("{ __typename }").status_code == 401
    assert served.bear().ask("{ __typename }") == {"__typename": "Query"}


def test_the_password_is_in_no_page_and_no_state(serve):
    served = serve(password="do-not-show")
    for path in ("/", "/deliveries", "/faults", "/_emulator/state"):
        assert "do-not-show" not in served.session.get(served.url + path).text
    assert "do-not-show" not in repr(served.world.clients)


def test_fields_to_take_out_must_exist():
    with IAdvizeWorld(conversations=0) as world, pytest.raises(ValueError, match=r"Visitor\.email"):
        create_app(world, without=["Visitor.emial"])
