"""Every change of the code that cosmic-ray knows to make in one place, for ``mutants.py``."""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).parents[1]
CODE = ROOT / "core" / "chatferry"
LEFT_OUT = ("migrations",)
"""Folders that are not changed: what was released stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one file: the n-th place an operator can change."""

    room: str
    file: str
    operator: str
    occurrence: int
    line: int
    column: int

    def code(self) -> str | None:
        """Return the changed file, or None if it would be no Python or mean the same."""
        before = (ROOT / self.file).read_text(encoding="utf-8")
        changed = mutate_code(before, plugins.get_operator(self.operator)(), self.occurrence)
        try:
            same = changed is None or ast.dump(ast.parse(changed)) == ast.dump(ast.parse(before))
        except SyntaxError:
            return None
        return None if same else changed


def mutants(room: str) -> Iterator[Mutant]:
    """Yield every change of a room that could make a difference."""
    place = CODE / room
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        if not set(LEFT_OUT) & set(file.parts):
            yield from mutants_of(room, file)


def mutants_of(room: str, file: Path) -> Iterator[Mutant]:
    """Yield the changes of a file, without those of what is never run or is a matter of style."""
    code = file.read_text(encoding="utf-8")
    annotated = set(places_of_annotations(ast.parse(code)))
    nodes, lines = [*ast_nodes(get_ast(code))], code.splitlines()
    for name in plugins.operator_names():
        operator = plugins.get_operator(name)
        if operator.arguments():
            continue
        places = (at for node in nodes for at, _ in operator().mutation_positions(node))
        for occurrence, at in enumerate(places):
            line = lines[at[0] - 1]
            if tuple(at) not in annotated and not is_mark(line, at[1]) and "@dataclass" not in line:
                yield Mutant(
                    room=room,
                    file=str(file.relative_to(ROOT)),
                    operator=name,
                    occurrence=occurrence,
                    line=at[0],
                    column=at[1],
                )


def is_mark(line: str, column: int) -> bool:
    """Say whether a star or a slash stands by itself: in a signature or before what is unpacked."""
    return line[column] in "*/" and re.search(r"(?:^|[(,\[{])\s*$", line[:column]) is not None


def in_chance_order(found: Sequence[Mutant], seed: int) -> list[Mutant]:
    """Return the changes by chance, but one of every place before a second of any."""
    order = random.Random(seed).sample(found, len(found))
    turns: Counter[tuple[str, int, int]] = Counter()
    ranked = []
    for mutant in order:
        place = (mutant.file, mutant.line, mutant.column)
        ranked.append((turns[place], mutant))
        turns[place] += 1
    return [mutant for _, mutant in sorted(ranked, key=lambda pair: pair[0])]


def places_of_annotations(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """Yield line and column of every character of an annotation."""
    for node in ast.walk(tree):
        for noted in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(noted, ast.expr) and noted.end_lineno == noted.lineno:
                columns = range(noted.col_offset, noted.end_col_offset or 0)
                yield from ((noted.lineno, column) for column in columns)
