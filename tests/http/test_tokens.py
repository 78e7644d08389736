"""Bearer tokens: renewed on time, by one thread at a time, and rotated ones survive a restart."""

from __future__ import annotations

import threading

import pytest

from chatferry import AuthFailure, Secret, TemporaryFailure
from chatferry.http.tokens import RefreshGrant, RenewedToken, StaticToken, Token, read_token
from chatferry.testing import DictMemory


def grant(memory, exchange, refresh_token="r1", **options):
    return RefreshGrant(
        client_id="client-1",
        client_secret=Secret("a client secret"),
        refresh_token=Secret(refresh_token),
        memory=memory,
        exchange=exchange,
        read=read_token,
        **options,
    )


def counting(life=None):
    """Return a function that obtains t1, t2, …, and the list of what it was called for."""
    obtained = []

    def obtain():
        obtained.append(Token(value=f"t{len(obtained) + 1}", life=life))
        return obtained[-1]

    return obtain, obtained


def test_a_token_is_renewed_before_it_ends():
    now, (obtain, _) = [0.0], counting(life=1800)
    token = RenewedToken(obtain, clock=lambda: now[0])
    assert [token.get().value, token.get().value] == ["t1", "t1"]
    now[0] = 1679
    assert token.get().value == "t1"
    now[0] = 1680
    assert token.get().value == "t2"


def test_a_short_life_is_used_for_nine_tenths():
    now, (obtain, _) = [0.0], counting(life=10)
    token = RenewedToken(obtain, clock=lambda: now[0])
    token.get()
    now[0] = 8.9
    assert token.get().value == "t1"
    now[0] = 9
    assert token.get().value == "t2"


def test_a_token_whose_life_is_not_known_is_renewed_once_it_is_refused():
    now, (obtain, _) = [0.0], counting()
    token = RenewedToken(obtain, clock=lambda: now[0])
    first = token.get()
    now[0] = 1e9
    assert token.get() == first
    assert token.renew(first)
    assert token.get().value == "t2"


def test_many_threads_renew_once():
    """The renewal is still on its way when all the others have come to the door: none goes through."""
    obtained, door, second = [], threading.Barrier(8), threading.Event()

    def obtain():
        obtained.append(Token(value=f"t{len(obtained) + 1}"))
        if len(obtained) == 2:
            door.wait(5)
            second.wait(0.3)
        if len(obtained) > 2:
            second.set()
        return obtained[-1]

    token = RenewedToken(obtain)
    first = token.get()

    def follow():
        door.wait(5)
        token.renew(first)
        token.get()

    threads = [threading.Thread(target=token.renew, args=(first,))]
    threads += [threading.Thread(target=follow) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(obtained) == 2


def test_a_renewal_that_fails_leaves_no_token_that_was_refused():
    answers = iter([Token(value="t1"), AuthFailure("no"), Token(value="t2")])

    def obtain():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    token = RenewedToken(obtain)
    with pytest.raises(AuthFailure):
        token.renew(token.get())
    assert token.get().value == "t2"


def test_a_token_that_never_ends_has_no_other():
    token = StaticToken(Secret("a key"))
    assert token.get() == Token(value="a key")
    assert not token.renew(token.get())


def test_a_token_is_shown_in_no_repr():
    assert "t1" not in repr(Token(value="t1"))


def test_a_rotated_refresh_token_is_bound_to_the_one_that_is_configured():
    memory, used = DictMemory(), []

    def exchange(form):
        used.append(form["refresh_token"])
        return {"access_token": "t", "refresh_token": "rotated", "expires_in": 1800}

    grant(memory, exchange)()
    grant(memory, exchange)()
    grant(memory, exchange, refresh_token="new")()
    assert used == ["r1", "rotated", "new"]


def test_a_token_another_process_is_about_to_keep_is_waited_for():
    """Both used the same refresh token; the other was first and has not yet written down what it got."""
    memory, looks = DictMemory(), []
    other = grant(memory, lambda _: {"access_token": "b", "refresh_token": "r2"})

    def exchange(form):
        if form["refresh_token"] != "r2":
            raise AuthFailure("BAD_REFRESH_TOKEN")
        return {"access_token": "c", "refresh_token": "r3"}

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            other()

    assert grant(memory, exchange, sleep=sleep)().value == "c"
    assert len(looks) == 3


def test_a_refused_token_that_no_other_process_has_used_is_given_up_within_a_second():
    looks = []

    def exchange(_):
        raise AuthFailure("BAD_REFRESH_TOKEN")

    with pytest.raises(AuthFailure):
        grant(DictMemory(), exchange, sleep=looks.append)()
    assert 0.5 < sum(looks) < 1


@pytest.mark.parametrize("kept", ["no JSON", "[]", "{}", '{"of": "another"}'])
def test_a_memory_that_holds_something_else_is_not_believed(kept):
    memory, used = DictMemory(), []
    memory.put("oauth.refresh_token", kept)
    grant(memory, lambda form: used.append(form["refresh_token"]) or {"access_token": "t"})()
    assert used == ["r1"]


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 7}])
def test_a_token_answer_without_a_token_is_temporary(body):
    with pytest.raises(TemporaryFailure):
        read_token(body)


@pytest.mark.parametrize(
    ("body", "life"),
    [({}, None), ({"expires_in": 60}, 60.0), ({"expires_in": "soon"}, None), ({"expires_in": 0}, None)],
)
def test_a_life_is_taken_from_the_answer_where_it_says_one(body, life):
    assert read_token({"access_token": "t", **body}).life == life


def test_a_life_that_the_answer_does_not_say_is_the_one_that_is_given():
    assert read_token({"access_token": "t"}, life=1800.0).life == 1800.0
