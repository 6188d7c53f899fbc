"""Edits of texts by whole lines: lists of skills, notes, rules. A line is left out, moved, or taken from another."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.lines import split
from autotroph.evolve.mutate.python import drawn
from autotroph.evolve.protocols import Edit, Parent, Surroundings

TEXTS = ("*.txt", "*.md", "*.prompt")
"""Files that are words and no program."""


def texts(candidate: Candidate, patterns: Sequence[str] = TEXTS) -> list[str]:
    """Files that may be edited, are not empty, and are named by one of the patterns."""
    return [name for name in candidate.open if candidate.files[name] and any(fnmatch(name, one) for one in patterns)]


@dataclass(frozen=True)
class Lines:
    """Edits one file that a pattern names. Empty lines stay where they are; one line at least is left."""

    patterns: tuple[str, ...] = TEXTS
    name: str = "text"
    parents: int = 2

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        candidate, rng = parents[0].candidate, around.rng
        file = drawn(candidate, texts(candidate, self.patterns), rng)
        lines = split(candidate.text(file))
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        new = [line for other in parents[1:] if file in other.candidate.files for line in _new(other, file, lines)]
        full = [i for i, line in enumerate(lines) if line.strip()]
        ways = ["drop", "move"] * (len(full) > 1) + ["take"] * bool(new)
        if not ways:
            raise NoEdit(f"'{file}' has one line only, and nothing to take", "nothing to edit")
        way = rng.choice(ways)
        return Edit(candidate.edited({file: "".join(_edited(way, lines, full, new, rng))}), f"{file}: {way}")


def _new(other: Parent, file: str, lines: list[str]) -> list[str]:
    """Lines that only the other has."""
    theirs = [f"{line.rstrip()}\n" for line in split(other.candidate.text(file)) if line.strip()]
    return [line for line in theirs if line not in lines]


def _edited(way: str, lines: list[str], full: list[int], new: list[str], rng: random.Random) -> list[str]:
    kept = list(lines)
    if way == "take":
        kept.insert(rng.randint(0, len(kept)), rng.choice(new))
        return kept
    line = kept.pop(rng.choice(full))
    if way == "move":
        kept.insert(rng.randint(0, len(kept)), line)
    return kept


MUTATOR = Lines
