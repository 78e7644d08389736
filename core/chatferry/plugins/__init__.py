"""Find the plugins, load them one by one, name the broken ones, and call their hooks guarded."""

from chatferry.plugins.manager import Plugins
from chatferry.plugins.report import PluginReport, PluginState

__all__ = ["PluginReport", "PluginState", "Plugins"]
