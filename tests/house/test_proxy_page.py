"""docs/proxy.md shows the example files as they are, so that what was run is what is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = sorted((DOCS / "examples").iterdir())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_page_shows_the_example_as_it_is(example):
    page = (DOCS / "proxy.md").read_text(encoding="utf-8")
    shown = re.search(rf"\(examples/{re.escape(example.name)}\).*?```\w+\n(.*?)```", page, re.DOTALL)
    assert shown, f"{example.name} is not on the page"
    assert shown[1] == example.read_text(encoding="utf-8")


def test_there_is_an_example_for_each_proxy():
    assert [example.name for example in EXAMPLES] == ["Caddyfile", "nginx.conf"]
