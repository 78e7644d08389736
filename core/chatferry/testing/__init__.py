"""A test kit for authors of plugins: the contract tests of connectors and strategies, and their helpers.

It needs pytest, which chatferry itself does not: import it from tests only.
"""

import pytest

pytest.register_assert_rewrite("chatferry.testing.cases", "chatferry.testing.strategies")

from chatferry.testing.capability import Capability  # noqa: E402  (asserts are rewritten first)
from chatferry.testing.contract import ConnectorContract  # noqa: E402  (the same)
from chatferry.testing.conversations import Talk, samples, talk  # noqa: E402  (the same)
from chatferry.testing.emulated import EmulatorHarness  # noqa: E402  (the same)
from chatferry.testing.gateway import GatewayHarness  # noqa: E402  (the same)
from chatferry.testing.harness import Harness  # noqa: E402  (the same)
from chatferry.testing.leads import HOSTILE, PERSONAL, UNSTORABLE, LeadFactory, make_lead  # noqa: E402  (the same)
from chatferry.testing.memory import DictMemory, make_context  # noqa: E402  (the same)
from chatferry.testing.shape import Held, Picklist, Shape  # noqa: E402  (the same)
from chatferry.testing.strategies import StrategyContract  # noqa: E402  (the same)
from chatferry.testing.trouble import TROUBLES, Trouble  # noqa: E402  (the same)

__all__ = [
    "HOSTILE",
    "PERSONAL",
    "TROUBLES",
    "UNSTORABLE",
    "Capability",
    "ConnectorContract",
    "DictMemory",
    "EmulatorHarness",
    "GatewayHarness",
    "Harness",
    "Held",
    "LeadFactory",
    "Picklist",
    "Shape",
    "StrategyContract",
    "Talk",
    "Trouble",
    "make_context",
    "make_lead",
    "samples",
    "talk",
]
