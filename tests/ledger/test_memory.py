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
