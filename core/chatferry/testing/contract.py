"""The contract tests of connectors: inherit the class, name a harness, run pytest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from chatferry.testing.capability import Capability
from chatferry.testing.cases.authentication import AuthenticationCases
from chatferry.testing.cases.batches import BatchCases, PartialSuccessCases
from chatferry.testing.cases.changes import ChangeCases
from chatferry.testing.cases.content import ContentCases
from chatferry.testing.cases.erasure import ErasureCases
from chatferry.testing.cases.life import LifeCases
from chatferry.testing.cases.limits import LimitCases
from chatferry.testing.cases.naming import NamingCases
from chatferry.testing.cases.network import FileCases, NetworkCases
from chatferry.testing.cases.repetition import ModeCases, RepetitionCases
from chatferry.testing.cases.secrecy import SecrecyCases
from chatferry.testing.cases.updates import UpdateCases
from chatferry.testing.cases.validation import ValidationCases
from chatferry.testing.needs import verify


class ConnectorContract(
    NamingCases,
    SecrecyCases,
    ContentCases,
    RepetitionCases,
    ModeCases,
    BatchCases,
    PartialSuccessCases,
    AuthenticationCases,
    LimitCases,
    NetworkCases,
    FileCases,
    ValidationCases,
    ChangeCases,
    UpdateCases,
    LifeCases,
    ErasureCases,
):
    """Every case a connector must pass, for a harness that says what it can do.

    A class that names its ``harness`` keeps the cases its capabilities call for. The others are
    not collected, hence never reported as passed or skipped; ``left_out`` says which and why.

    :cvar left_out: the names of those cases, with the capabilities that are not declared.
    """

    left_out: ClassVar[Mapping[str, frozenset[Capability]]] = MappingProxyType({})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "harness" not in cls.__dict__:
            return
        verify(cls.harness)
        left_out = {
            name: missing
            for name, needed in cls.cases().items()
            if (missing := needed - cls.harness.capabilities)
        }
        for name in left_out:
            setattr(cls, name, None)  # pytest collects no None
        cls.left_out = MappingProxyType(left_out)

    @classmethod
    def cases(cls) -> dict[str, frozenset[Capability]]:
        """Return the names of the cases of this class and the capabilities each needs."""
        return {
            name: getattr(case, "needs", frozenset())
            for name in dir(cls)
            if name.startswith("test_") and callable(case := getattr(cls, name))
        }
