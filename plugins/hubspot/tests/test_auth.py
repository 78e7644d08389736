"""OAuth: renewed on time, one at a time, and rotated tokens survive a restart."""

from __future__ import annotations

import threading

import pytest
from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN

from chatferry import AuthFailure, Receipt, Secret, TemporaryFailure
from chatferry.testing import DictMemory
from chatferry_hubspot.auth import OAuthToken

OAUTH = {
    "client_id": "client-emulator",
    "client_secret": Secret(HUBSPOT_CLIENT_SECRET),
    "refresh_token": Secret(HUBSPOT_REFRESH_TOKEN),
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
    """The renewal is still on its way when all the others have come to the door: none goes through."""
    asked, door, second = [], threading.Barrier(8), threading.Event()

    def exchange(form):
        asked.append(form)
        if len(asked) == 2:
            door.wait(5)
            second.wait(0.3)
        if len(asked) > 2:
            second.set()
        return {"access_token": f"t{len(asked)}", "expires_in": 1800}

    token = OAuthToken(**OAUTH, memory=DictMemory(), exchange=exchange)
    token.get()

    def follow():
        door.wait(5)
        token.renew("t1")
        token.get()

    threads = [threading.Thread(target=token.renew, args=("t1",))]
    threads += [threading.Thread(target=follow) for _ in range(7)]
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
    assert used == [HUBSPOT_REFRESH_TOKEN, "rotated", "new"]


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


def test_a_token_another_process_is_about_to_keep_is_waited_for():
    """Both used the same refresh token; the other was first and has not yet written down what it got."""
    memory, looks = DictMemory(), []
    other = OAuthToken(
        **OAUTH, memory=memory, exchange=lambda _: {"access_token": "b", "refresh_token": "r2"}
    )

    def exchange(form):
        if form["refresh_token"] != "r2":
            raise AuthFailure("BAD_REFRESH_TOKEN")
        return {"access_token": "c", "refresh_token": "r3"}

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            other.get()

    assert OAuthToken(**OAUTH, memory=memory, exchange=exchange, sleep=sleep).get() == "c"
    assert len(looks) == 3


def test_a_refused_token_that_no_other_process_has_used_is_given_up_within_a_second():
    looks = []

    def exchange(_):
        raise AuthFailure("BAD_REFRESH_TOKEN")

    token = OAuthToken(**OAUTH, memory=DictMemory(), exchange=exchange, sleep=looks.append)
    with pytest.raises(AuthFailure):
        token.get()
    assert 0.5 < sum(looks) < 1
