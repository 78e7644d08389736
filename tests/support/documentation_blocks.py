"""The code blocks of the documentation: what a reader copies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("plugins/*/README.md")),
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block: its page relative to the root, the line it begins in, its language and its text."""

    page: str
    line: int
    language: str
    text: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands of a shell block, without prompts and comments; a line that ends with \\ goes on."""
        whole = re.sub(r"\\\n\s*", "", self.text)
        bare = (re.sub(r"(^|\s)#.*", "", line).removeprefix("$ ").strip() for line in whole.splitlines())
        return [line for line in bare if line]


def blocks(*languages: str) -> list[Block]:
    """Return the blocks of all pages, those of some languages if any are named."""
    return [block for page in PAGES for block in _of(page) if not languages or block.language in languages]


def _of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        yield Block(
            page=str(page.relative_to(ROOT)),
            line=text.count("\n", 0, found.start()) + 1,
            language=found[1],
            text=found[2],
        )
