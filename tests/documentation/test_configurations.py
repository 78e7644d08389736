"""Every piece of configuration in the documentation is one that chatferry takes."""

from __future__ import annotations

import re
import tomllib
from types import ModuleType

import pytest
from documentation_blocks import Block, blocks

from chatferry.assembly import mapping_of
from chatferry.errors import SettingsError
from chatferry.plugins import Plugins
from chatferry.settings.destinations import validate_destinations
from chatferry.settings.load import load_text

for plugin in ("csv", "hubspot"):
    pytest.importorskip(f"chatferry_{plugin}", reason="configurations of its connector are shown")

IADVIZE = """
[iadvize]
secrets = ["env:IADVIZE_SECRET"]
[[iadvize.clients]]
platform = "ha"
client_id = 335
username = "env:IADVIZE_USER"
password = "env:IADVIZE_PASSWORD"
"""
CONNECTOR = {"docs/connector-hubspot.md": "hubspot"}
"""The connector of the pieces that leave it out; else it is CSV files."""
SECRET = {"hubspot": 'access_token = "env:HUBSPOT_TOKEN"'}
"""What the settings of a connector need, beside what a piece says."""


def configurations() -> list[Block]:
    return [block for block in blocks("toml") if "[project]" not in block.text]


@pytest.mark.parametrize("block", configurations(), ids=str)
def test_a_configuration_is_taken(block, plugins):
    text = completed(block)
    environ = dict.fromkeys(re.findall(r'"env:(\w+)"', text), "x") | {"DATABASE_URL": "sqlite:///x.db"}
    settings = load_text(text, environ)
    prepared = validate_destinations(settings, plugins.connectors, plugins.strategies, environ=environ)
    assert prepared.ready.keys() == tomllib.loads(text).get("destinations", {}).keys()
    for destination in prepared.ready.values():
        assert mapping_of(destination)


@pytest.mark.parametrize("wrong", ['connectr = "csv"', "strategies = ['plates']", "contact.email = 'emial'"])
def test_one_with_a_mistake_is_not(plugins, wrong):
    block = Block(
        page="x", line=1, language="toml", text=f"[destinations.sales]\nconnector = 'csv'\n{wrong}\n"
    )
    with pytest.raises(SettingsError):
        test_a_configuration_is_taken(block, plugins)


@pytest.fixture(scope="module")
def plugins():
    """What is installed, and the strategy of the tutorial."""
    (code,) = [block.text for block in blocks("python") if "PLATES = {" in block.text]
    tutorial = ModuleType("chatferry_plates")
    exec(code, tutorial.__dict__)
    return Plugins.load(extra=[tutorial])


def completed(block: Block) -> str:
    """Return a whole configuration of which the block is a piece."""
    given = tomllib.loads(block.text)
    parts = [block.text] if "iadvize" in given else [block.text, IADVIZE]
    for name, destination in given.get("destinations", {}).items():
        connector = destination.get("connector") or CONNECTOR.get(block.page, "csv")
        if "connector" not in destination:
            parts.append(f'[destinations.{name}]\nconnector = "{connector}"\n')
        if connector in SECRET and not any(key.endswith("_token") for key in destination.get("settings", {})):
            parts.append(f"[destinations.{name}.settings]\n{SECRET[connector]}\n")
    return "".join(parts)
