"""An emulator of HubSpot's CRM API, stateful and over real HTTP: ``chatferry emulate hubspot``."""

from chatferry_hubspot.emulator.product import EMULATOR

__all__ = ["EMULATOR"]
