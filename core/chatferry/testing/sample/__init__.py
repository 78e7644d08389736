"""A CRM in memory, a connector for it and their harness: the reference example of the contract."""

from chatferry.testing.sample.connector import SampleConnector
from chatferry.testing.sample.crm import SampleCrm
from chatferry.testing.sample.harness import SampleHarness

__all__ = ["SampleConnector", "SampleCrm", "SampleHarness"]
