"""Leads as rows of CSV files: the connector that needs nothing but a directory."""

from __future__ import annotations

from chatferry import Connector, hookimpl
from chatferry_csv._version import __version__
from chatferry_csv.connector import CsvConnector

__all__ = ["CsvConnector", "__version__", "register_connectors"]


@hookimpl
def register_connectors() -> list[type[Connector]]:
    """Return the connector that this plugin ships."""
    return [CsvConnector]
