"""The map is true: every module that the pages name exists, and every room has its sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "chatferry"
LIFE, ARCHITECTURE = (
    (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("life-of-a-conversation.md", "architecture.md")
)
ROOMS = sorted(path.parent.name for path in CORE.glob("*/__init__.py"))
MODULE = re.compile(r"`([a-z_]+(?:/[a-z_]+)*\.py)`")


@pytest.mark.parametrize("page", [LIFE, ARCHITECTURE], ids=["life", "architecture"])
def test_every_module_a_page_names_exists(page):
    named = set(MODULE.findall(page))
    assert len(named) > 15
    assert {name for name in named if not (CORE / name).exists() and not (ROOT / name).exists()} == set()


def test_every_room_has_its_sentence_on_the_map():
    described = re.findall(r"^\| `(\w+)/` \| [^|]{20,} \| `[^`]+` \|$", ARCHITECTURE, re.MULTILINE)
    assert sorted(described) == ROOMS


def test_every_file_at_the_top_is_on_the_map():
    drawn = ARCHITECTURE.split("```")[1]
    files = [path.stem for path in CORE.glob("*.py") if not path.stem.startswith("_")]
    assert [name for name in files if not re.search(rf"\b{name}\b", drawn)] == []


def test_the_road_from_webhook_to_receipt_crosses_at_most_fourteen_modules_and_every_verbs_room():
    road = re.findall(r"^\| \d+ \| `([\w/]+\.py)` \|", LIFE, re.MULTILINE)
    assert 10 <= len(road) <= 14
    assert all((CORE / module).exists() for module in road)
    assert {"web", "accept", "iadvize", "leads", "ledger", "sync", "deliver"} <= {
        module.partition("/")[0] for module in road
    }
