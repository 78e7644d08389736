"""Not collected by itself: the case meant for each broken connector, run by ``test_broken.py``."""

from __future__ import annotations

import runpy
from pathlib import Path

from chatferry.testing import ConnectorContract
from chatferry.testing.sample import SampleHarness

for path in sorted((Path(__file__).parent / "broken").glob("*.py")):
    for name, connector in runpy.run_path(str(path)).items():
        if "caught_by" in getattr(connector, "__dict__", {}):
            changes = {"connector": connector, **getattr(connector, "harness_changes", {})}
            harness = type(f"{name}Harness", (SampleHarness,), changes)
            contract = type(f"Test{name}", (ConnectorContract,), {"harness": harness})
            for case in contract.cases():
                if case != connector.caught_by:
                    setattr(contract, case, None)  # collecting eight thousand cases takes longer than running
            globals()[f"Test{name}"] = contract
