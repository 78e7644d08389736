"""Every row of docs/bad-input.md names a test, and every test it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bad-input.md").read_text(encoding="utf-8")
ROWS = [
    line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith(("| Input", "|---"))
]
ISSUES = (
    "No signature", "too short", "another secret", "Another algorithm", "changed on the way", "Not JSON",
    "wrong type", "missing", "10 MB", "nested", "sent before", "client that is not configured",
    "GraphQL errors", "HTML", "full disk", "read-only", "mangled", "unknown key", "secret whose", "typo",
    "plugins with one name", "fails at import",
)  # fmt: skip
"""What the page must cover, whatever else it does."""


def test_every_row_names_a_test_that_exists():
    assert len(ROWS) > 30
    for row in ROWS:
        found = re.search(r"`(tests/[\w/]+\.py)::(test_\w+)` \|$", row)
        assert found, row
        tree = ast.parse((ROOT / found[1]).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert found[2] in names, row


def test_everything_that_was_thought_of_has_its_row():
    inputs = [row.split("|")[1] for row in ROWS]
    assert [one for one in ISSUES if not any(one.lower() in text.lower() for text in inputs)] == []
