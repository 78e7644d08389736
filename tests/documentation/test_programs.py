"""Every piece of Python in the documentation runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from documentation_blocks import ROOT, Block, blocks
from flask import Flask

import chatferry
import chatferry.testing
from chatferry.emulators import Emulator
from chatferry.plugins import Plugins, PluginState
from chatferry.testing.sample import SampleConnector, SampleHarness


def is_a_plugin(block: Block) -> None:
    """A module that chatferry loads, with the hook of the heading it stands under."""
    above = (ROOT / block.page).read_text(encoding="utf-8").splitlines()[: block.line]
    headings = re.findall(r"^### `(\w+)\(", "\n".join(above), re.MULTILINE)
    plugin = ModuleType("a_plugin_of_the_page")
    exec(block.text, plugin.__dict__)
    (report,) = [one for one in Plugins.load(extra=[plugin]).reports if one.name == plugin.__name__]
    assert report.state is PluginState.OK, report
    assert set(headings[-1:]) <= set(report.hooks)


def runs(block: Block) -> None:
    """A piece that needs nothing but what it imports, or the kit's names and a connector of the reader."""
    names: dict[str, Any] = {name: getattr(chatferry, name) for name in chatferry.__all__}
    names |= {name: getattr(chatferry.testing, name) for name in chatferry.testing.__all__}
    emulator = Emulator(name="acme", summary="Acme's CRM.", create=lambda faults: Flask("acme"))  # noqa: ARG005
    exec("import requests\nfrom collections.abc import Iterable, Mapping", names)
    exec(block.text, names | {"Acme": SampleConnector, "EMULATOR": emulator, "AcmeHarness": SampleHarness})


def belongs_to_the_tutorial(block: Block) -> None:
    """Files of a plugin: they are installed, and their tests run, by other tests."""
    assert block.text.startswith(("# ", '"""'))


RUNNERS: Mapping[str, Callable[[Block], None]] = {
    "docs/hooks.md": is_a_plugin,
    "docs/emulator-hubspot.md": runs,
    "docs/emulator-iadvize.md": runs,
    "docs/emulator-salesforce.md": runs,
    "docs/test-a-plugin.md": runs,
    "docs/write-a-connector.md": belongs_to_the_tutorial,
    "docs/write-a-strategy.md": lambda block: (
        belongs_to_the_tutorial if len(block.text.splitlines()) > 1 else runs
    )(block),
}


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_it_runs(block):
    for plugin in re.findall(r"^from (chatferry_(?:hubspot|salesforce))", block.text, re.MULTILINE):
        pytest.importorskip(plugin, reason="the piece uses it")
    RUNNERS[block.page](block)
