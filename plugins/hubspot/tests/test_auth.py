"""OAuth: renewed on time, one at a time, and rotated tokens survive a restart."""

from __future__ import annotations

import threading

import pytest

from chatferry import AuthFailure, Receipt, Secret, TemporaryFailure
from chatferry.testing import DictMemory
from chatferry_hubspot.auth import OAuthToken

OAUTH = {
    "client_id": "client-emulator",
    "client_secret": Secret("secret-emulator"),
    "refresh_token": Secret("refresh-emulator"),
}


def test_a_token_is_renewed_before_it_ends():
    now, asked = [0.0], []
    token = OAuthToken(
        **OAUTH,
        memory=DictMemory(),
        exchange=lambda form: asked.append(form) or {"access_token": f"t{len(asked)}", "expires_in": 1800},
        clock=lambda: now[0],
    )
    assert [token.get(), token.get()] == ["t1", "t1"]
    now[0] = 1679
    assert token.get() == "t1"
    now[0] = 1680
    assert token.get() == "t2"


def test_many_threads_renew_once():
    asked = []
    token = OAuthToken(
        **OAUTH,
        memory=DictMemory(),
        exchange=lambda form: asked.append(form) or {"access_token": f"t{len(asked)}", "expires_in": 1800},
    )
    token.get()
    threads = [threading.Thread(target=token.renew, args=("t1",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 2


def test_a_rotated_refresh_token_survives_a_restart(start, lead, receipts):
    account = start(rotate=True)
    receipts(account.connect(**OAUTH), lead(1))
    receipts(account.connect(**OAUTH), lead(2))
    assert len(account.records("contacts")) == 2


def test_a_token_another_process_rotated_meanwhile_is_taken_over(start, lead, receipts):
    account = start(rotate=True, token_life=1)
    first, second = account.connect(**OAUTH), account.connect(**OAUTH)
    receipts(first, lead(1))
    receipts(second, lead(2))
    receipts(first, lead(3))


def test_a_new_installation_is_not_answered_with_the_old_ones_token():
    memory, used = DictMemory(), []

    def exchange(form):
        used.append(form["refresh_token"])
        return {"access_token": "t", "refresh_token": "rotated", "expires_in": 1800}

    OAuthToken(**OAUTH, memory=memory, exchange=exchange).get()
    OAuthToken(**OAUTH, memory=memory, exchange=exchange).get()
    OAuthToken(**{**OAUTH, "refresh_token": Secret("new")}, memory=memory, exchange=exchange).get()
    assert used == ["refresh-emulator", "rotated", "new"]


def test_a_refused_renewal_is_an_auth_failure_and_a_failed_one_is_not(account, lead, deliver):
    connector = account.connect(**OAUTH)
    account.board.switch_on("oauth-400:x1")
    (refused,) = deliver(connector, lead())
    account.board.switch_on("oauth-500:x1")
    (failed,) = deliver(connector, lead())
    (delivered,) = deliver(connector, lead())
    assert isinstance(refused, AuthFailure)
    assert "authorise the app again" in str(refused)
    assert isinstance(failed, TemporaryFailure)
    assert isinstance(delivered, Receipt)


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 7}])
def test_a_token_answer_without_a_token_is_temporary(body):
    token = OAuthToken(**OAUTH, memory=DictMemory(), exchange=lambda _: body)
    with pytest.raises(TemporaryFailure):
        token.get()
