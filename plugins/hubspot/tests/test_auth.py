"""OAuth: renewed on time, one at a time, and rotated tokens survive a restart."""

from __future__ import annotations

from private_values import HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN

from chatferry import AuthFailure, Receipt, Secret, TemporaryFailure

OAUTH = {
    "client_id": "client-emulator",
    "client_secret": Secret(HUBSPOT_CLIENT_SECRET),
    "refresh_token": Secret(HUBSPOT_REFRESH_TOKEN),
}


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
