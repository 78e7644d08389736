"""docs/api.md is written from the code: it is complete, and as it would be written now."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load(path: Path):
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


WRITER = load(ROOT / "docs" / "api_page.py")
PUBLIC = load(ROOT / "tests" / "house" / "test_layers.py").PUBLIC


def test_the_page_is_what_would_be_written():
    assert WRITER.PAGE.read_text(encoding="utf-8") == WRITER.page(), "run: python docs/api_page.py"


def test_the_page_has_every_module_that_a_plugin_may_import():
    assert PUBLIC - {"chatferry.isolation"} <= set(WRITER.MODULES)  # its one name is in chatferry, too


@pytest.mark.parametrize("module", WRITER.MODULES)
def test_every_public_name_says_what_it_is_for(module):
    found = list(WRITER.public(importlib.import_module(module)))
    assert found
    page = WRITER.PAGE.read_text(encoding="utf-8")
    for name, thing in found:
        assert f"`{name}" in page
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert inspect.getdoc(thing), f"{name} has no docstring"


def test_no_entry_is_empty():
    entries = WRITER.PAGE.read_text(encoding="utf-8").split("\n### ")[1:]
    assert [entry.splitlines()[0] for entry in entries if not "".join(entry.splitlines()[1:]).strip()] == []
