"""Find and load the plugins, report those that fail, and call their hooks with time-outs."""

from chatferry.plugins.manager import Plugins
from chatferry.plugins.report import PluginReport, PluginState

__all__ = ["PluginReport", "PluginState", "Plugins"]
