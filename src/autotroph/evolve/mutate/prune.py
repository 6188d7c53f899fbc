"""Prompts made shorter: a few of their parts are left out at random (PromptQuine, arXiv:2506.17930).

That work found that what is left of a prompt may do better for a model than the whole, however odd it looks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from autotroph.evolve.candidate import NoEdit
from autotroph.evolve.mutate.python import drawn
from autotroph.evolve.mutate.text import TEXTS, texts
from autotroph.evolve.protocols import Edit, Parent, Surroundings

Unit = Literal["piece", "word", "line"]

UNITS: Mapping[Unit, re.Pattern[str]] = MappingProxyType(
    {"piece": re.compile(r"\s*(?:\w+|[^\w\s])"), "word": re.compile(r"\s*\S+"), "line": re.compile(r"\n*[^\n]+")}
)
"""A unit of text with the space before it. A piece is a word or a sign: close to a token, and needs no tokenizer."""


@dataclass(frozen=True)
class Prune:
    """Leaves out 1 to `most` units of one file that a pattern names, all numbers equally likely; one unit stays."""

    unit: Unit = "piece"
    most: int = 4
    patterns: tuple[str, ...] = TEXTS
    name: str = "prune"
    parents: int = 1

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        candidate, rng = parents[0].candidate, around.rng
        file = drawn(candidate, texts(candidate, self.patterns), rng)
        text = candidate.text(file)
        spans = [match.span() for match in UNITS[self.unit].finditer(text)]
        if len(spans) < 2:
            raise NoEdit(f"'{file}' has one {self.unit} or none left", "nothing to prune")
        gone = sorted(rng.sample(spans, rng.randint(1, min(self.most, len(spans) - 1))))
        ends = [0, *(end for _, end in gone)]
        kept = "".join(text[end:start] for end, (start, _) in zip(ends, [*gone, (len(text), 0)], strict=True))
        return Edit(candidate.edited({file: kept}), f"{file}: {len(gone)} of {len(spans)} {self.unit}s left out")


MUTATOR = Prune
