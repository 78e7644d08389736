"""The ledger: the durable store of events, conversations and deliveries.

This is the only package that speaks SQL. Everything chatferry knows is here, so that any process
may be killed at any moment and another goes on.
"""

from chatferry.ledger.ledger import Ledger

__all__ = ["Ledger"]
