from __future__ import annotations

from chatferry.testing import ConnectorContract
from chatferry.testing.sample import SampleHarness


class TestSample(ConnectorContract):
    harness = SampleHarness
