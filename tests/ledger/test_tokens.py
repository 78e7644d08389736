from __future__ import annotations

import threading
import time

from chatferry.http.token_store import LOGINS_A_MINUTE, AccessToken
from chatferry.ledger import Ledger
from chatferry.settings.secrets import Secret

NOW = 1_700_000_000.0
FIRST = AccessToken(value=Secret("first"), renew_at=NOW)
SECOND = AccessToken(value=Secret("second"), renew_at=NOW + 1)


def test_a_token_is_shared_and_replaced(ledger, ledger_url):
    ledger.tokens.put("ha-335", FIRST)
    ledger.tokens.put("ha-335", SECOND)
    other = Ledger(ledger_url)
    found = other.tokens.get("ha-335")
    other.close()
    assert found is not None
    assert (found.value.reveal(), found.renew_at) == ("second", NOW + 1)
    assert ledger.tokens.get("sd-336") is None


def test_only_the_token_that_was_refused_is_forgotten(ledger):
    ledger.tokens.put("ha-335", SECOND)
    ledger.tokens.forget("ha-335", FIRST)
    assert ledger.tokens.get("ha-335") is not None
    ledger.tokens.forget("ha-335", SECOND)
    assert ledger.tokens.get("ha-335") is None


def test_logins_are_counted_over_a_minute_and_per_user(ledger):
    for _ in range(LOGINS_A_MINUTE):
        assert ledger.tokens.login_allowed("ann", NOW) == 0
    assert ledger.tokens.login_allowed("ann", NOW + 20) == 40
    assert ledger.tokens.login_allowed("bob", NOW + 20) == 0
    assert ledger.tokens.login_allowed("ann", NOW + 61) == 0


def test_a_login_that_was_never_sent_is_not_counted(ledger):
    for _ in range(LOGINS_A_MINUTE):
        ledger.tokens.login_allowed("ann", NOW)
    ledger.tokens.login_unsent("ann", NOW)
    assert ledger.tokens.login_allowed("ann", NOW) == 0
    assert ledger.tokens.login_allowed("ann", NOW) == 60


def test_no_other_login_is_forgotten_with_one_that_was_never_sent(ledger):
    for number in range(LOGINS_A_MINUTE):
        ledger.tokens.login_allowed("ann" if number else "bob", NOW + number)
    for _ in range(LOGINS_A_MINUTE - 1):
        ledger.tokens.login_allowed("bob", NOW)
    ledger.tokens.login_unsent("ann", NOW + LOGINS_A_MINUTE - 1)
    assert ledger.tokens.login_allowed("bob", NOW + 20) == 40


def test_a_user_iadvize_blocked_waits(ledger):
    ledger.tokens.block_logins("ann", NOW + 30)
    ledger.tokens.block_logins("ann", NOW + 90)
    assert ledger.tokens.login_allowed("ann", NOW) == 90
    assert ledger.tokens.login_allowed("ann", NOW + 91) == 0


def test_a_process_killed_while_it_logs_in_keeps_the_others_from_it_for_seconds(ledger):
    with ledger.tokens.lock("key"):
        now = time.time()
        assert not ledger.leases.take("login key", "another", now, now + 60)
        assert ledger.leases.take("login key", "another", now + 11, now + 60)


def test_one_at_a_time_logs_in_whether_thread_or_process(ledger, ledger_url):
    other = Ledger(ledger_url)
    inside, most = [], []

    def work(tokens):
        with tokens.lock("ha-335"):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work, args=(tokens,)) for tokens in (ledger.tokens, other.tokens) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert most == [1] * 6
