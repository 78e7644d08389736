"""A pytest plugin, enabled by ``pytest -p chatferry.testing.plugin`` or in a conftest.

It has fixtures, and reports after the collection which cases each contract left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from chatferry.connector import Context
from chatferry.testing.contract import ConnectorContract
from chatferry.testing.leads import LeadFactory
from chatferry.testing.memory import DictMemory, make_context


@pytest.fixture
def memory() -> DictMemory:
    """Return an empty memory, the one ``context`` has."""
    return DictMemory()


@pytest.fixture
def context(tmp_path: Path, memory: DictMemory) -> Context:
    """Return a context with a directory of its own."""
    return make_context(tmp_path, memory=memory)


@pytest.fixture
def leads() -> LeadFactory:
    """Return a factory of leads without mapped records."""
    return LeadFactory()


def pytest_report_collectionfinish(items: Sequence[pytest.Item]) -> list[str]:
    """Say, per contract, how many cases apply and which capabilities are not declared."""
    contracts = {
        item.cls: None
        for item in items
        if isinstance(item, pytest.Function) and item.cls and issubclass(item.cls, ConnectorContract)
    }
    return [_summary(contract) for contract in contracts]


def _summary(contract: type[ConnectorContract]) -> str:
    missing = sorted({capability.name for needed in contract.left_out.values() for capability in needed})
    line = f"{contract.__name__}: {len(contract.cases())} cases apply, {len(contract.left_out)} left out"
    return f"{line}; not declared: {', '.join(missing)}" if missing else line
