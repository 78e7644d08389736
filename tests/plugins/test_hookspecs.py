"""docs/hooks.md shows every hook, with its signature as heading, and an example that loads."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from chatferry import hookspecs
from chatferry.plugins import Plugins, PluginState
from chatferry.plugins.plugin import HOOKS

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `([^`]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def signature(hook: str) -> str:
    names = inspect.signature(getattr(hookspecs, hook)).parameters
    return f"{hook}({', '.join(names)})"


def test_every_hook_is_documented_in_the_order_of_a_run():
    assert list(SECTIONS) == [signature(hook) for hook in HOOKS]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_says_when_a_hook_is_called_and_what_returning_does(hook):
    text = SECTIONS[signature(hook)]
    assert "Called " in text
    assert re.search(r"Return a |What is returned is ignored", text)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_a_hook_is_a_plugin_that_loads(hook):
    (code,) = re.findall(r"```python\n(.*?)```", SECTIONS[signature(hook)], re.DOTALL)
    module = ModuleType("example")
    exec(compile(code, "docs/hooks.md", "exec"), module.__dict__)
    report = next(found for found in Plugins.load(extra=[module]).reports if found.name == "example")
    assert (report.state, report.hooks) == (PluginState.OK, (hook,))


def test_every_state_of_a_plugin_is_documented():
    assert all(f"| `{state}` |" in PAGE for state in PluginState)
