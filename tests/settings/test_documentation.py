"""docs/configuration.md lists every key with its default and its variable, and nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chatferry.assembly import mapping_of
from chatferry.plugins import Plugins
from chatferry.settings.destinations import validate_destinations
from chatferry.settings.environment import ALLOWED
from chatferry.settings.fields import duration
from chatferry.settings.keys import Key, keys
from chatferry.settings.load import load_text
from chatferry.settings.model import StrategySettings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| `(CHATFERRY_[^`]+)` \| (.+) \|$", re.MULTILINE)
ROWS = {row[1]: row for row in ROW.finditer(PAGE)}


def test_the_page_and_the_settings_have_the_same_keys():
    assert list(ROWS) == [key.place for key in keys()]


@pytest.mark.parametrize("key", list(keys()), ids=lambda key: key.place)
def test_a_key_is_documented_with_its_default_and_its_variable(key):
    _, default, twin, meaning = ROWS[key.place].groups()
    assert written(default, key) == shown(key)
    assert twin == key.twin
    assert meaning.endswith((".", "…"))


def test_every_variable_that_is_no_setting_is_documented():
    assert all(f"`{name}`" in PAGE for name in ALLOWED)


def test_the_example_is_a_valid_configuration():
    pytest.importorskip("chatferry_csv", reason="it is a configuration of the CSV connector")
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
    environ = dict.fromkeys(re.findall(r'"env:(\w+)"', example), "x")
    settings = load_text(example, environ)
    plugins = Plugins.load()
    prepared = validate_destinations(settings, plugins.connectors, plugins.strategies, environ=environ)
    assert mapping_of(prepared.ready["sales"])


def shown(key: Key) -> Any:
    if isinstance(key.default, tuple):
        return [item.name if isinstance(item, StrategySettings) else item for item in key.default]
    return "required" if key.required else key.default


def written(default: str, key: Key) -> Any:
    if default in {"required", "not set"}:
        return {"required": "required", "not set": None}[default]
    value = tomllib.loads(f"value = {default.strip('`')}")["value"]
    return duration(value) if isinstance(key.default, float) else value
