from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

import chatferry
from chatferry.plugins import Plugins, PluginState

PAGE = Path(__file__).parent / "public_api.py"


def test_the_type_test_uses_every_public_name():
    tree = ast.parse(PAGE.read_text(encoding="utf-8"))
    loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    loaded |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert set(chatferry.__all__) <= loaded


def test_the_type_test_is_a_plugin_that_loads():
    for plugin in ("chatferry_csv", "chatferry_hubspot"):
        pytest.importorskip(plugin, reason="it calls this plugin")
    specification = importlib.util.spec_from_file_location("public_api", PAGE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    report = next(found for found in Plugins.load(extra=[module]).reports if found.name == "public_api")
    assert report.state is PluginState.OK, report
