"""The cases of the connector contract, one theme a module."""
