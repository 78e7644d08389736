from __future__ import annotations

from chatferry.ledger import Ledger


def test_what_is_put_is_there_until_it_is_forgotten(ledger):
    memory = ledger.memory("sales")
    assert memory.get("token") is None
    memory.put("token", "first")
    memory.put("token", "second")
    assert memory.get("token") == "second"
    memory.forget("token")
    memory.forget("token")
    assert memory.get("token") is None


def test_destinations_do_not_share_their_memories(ledger):
    ledger.memory("sales").put("token", "x")
    assert ledger.memory("care").get("token") is None


def test_processes_do(ledger, ledger_url):
    ledger.memory("sales").put("token", "x")
    other = Ledger(ledger_url)
    assert other.memory("sales").get("token") == "x"
    other.close()


def test_one_thing_is_forgotten_and_no_other_of_this_or_another_destination(ledger):
    for destination in ("sales", "care"):
        for key in ("a", "b", "c"):
            ledger.memory(destination).put(key, key)
    ledger.memory("sales").forget("b")
    left = [[ledger.memory(name).get(key) for key in "abc"] for name in ("sales", "care")]
    assert left == [["a", None, "c"], ["a", "b", "c"]]
