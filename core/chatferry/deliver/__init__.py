"""Hand leads to connectors and decide what follows from each outcome."""
