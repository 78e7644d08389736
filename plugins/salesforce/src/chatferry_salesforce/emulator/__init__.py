"""A stand-in for Salesforce: ``chatferry emulate salesforce``."""

from chatferry_salesforce.emulator.product import EMULATOR

__all__ = ["EMULATOR"]
