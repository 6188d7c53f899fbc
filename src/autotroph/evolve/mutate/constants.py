"""The numeric constants of a program, searched by themselves while its form stays.

A mutator makes one child a call and keeps nothing, so it cannot be CMA-ES, which learns from whole generations. What
it can be is an evolution strategy with self-adaptation (Schwefel 1977): a child inherits its step size, changes it at
random first, and is then drawn with it, so that good step sizes are selected with what they made. The step size is in
the child's note, which its own children are given. CMA-ES, for one candidate as a whole, is in `polish`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst

from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.numerals import value
from autotroph.evolve.mutate.python import concrete, programs
from autotroph.evolve.mutate.sites import Sites
from autotroph.evolve.protocols import Edit, Parent, Surroundings

PLACE = '"\0"'
"""What no program has in it."""

HALF = 0.5

STEP = re.compile(r"step (\S+)$")
"""How a note ends that hands a step size down."""


@dataclass(frozen=True)
class Template:
    """A candidate with places for numbers. `values`: those that it has, in the order of its files and their text."""

    candidate: Candidate
    values: tuple[int | float, ...]
    _files: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Name -> what is before, between and after its numbers."""

    @classmethod
    def of(cls, candidate: Candidate, integers: bool = False) -> Template:
        """Its floating-point literals, and its integers where they are wanted: those are more often indices, lengths
        and choices than quantities. Raises NoEdit where there are none."""
        files, values = {}, list[int | float]()
        for name in programs(candidate):
            program = concrete(candidate.text(name))
            found = {site.node: value(site.node) for site in Sites(program).found["number"]}
            numbers = {node: x for node, x in found.items() if isinstance(x, int | float if integers else float)}
            if numbers:
                emptied = program.visit(_Emptied(numbers))
                assert isinstance(emptied, cst.Module)
                files[name] = tuple(emptied.code.split(PLACE))
                values += [x for x in numbers.values() if x is not None]
        if not values:
            raise NoEdit("no constants")
        return cls(candidate, tuple(values), files)

    def filled(self, values: Sequence[float]) -> Candidate:
        """The same with these numbers, rounded where there was an integer; a negative one in parentheses, so that it
        means the same everywhere. Raises NoEdit where nothing is changed, and where a number is not finite."""
        if not all(map(math.isfinite, values)):
            raise NoEdit("a constant is not finite")
        new = (repr(round(x) if isinstance(old, int) else float(x)) for old, x in zip(self.values, values, strict=True))
        places = (f"({text})" if text.startswith("-") else text for text in new)
        return self.candidate.edited({name: _joined(parts, places) for name, parts in self._files.items()})


@dataclass(frozen=True)
class Constants:
    """Draws each constant around its value x with a normal of deviation step * max(|x|, floor), for an integer at
    least 1/2 before it is rounded.

    `step`: where the parent's note has none. It is multiplied by exp(N(0, 1) / sqrt(2 n)) for n constants, and stays
    within [`least`, `greatest`].
    """

    step: float = 0.1
    floor: float = 1e-3
    integers: bool = False
    least: float = 1e-8
    greatest: float = 1.0
    name: str = "constants"
    parents: int = 1

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        template, rng = Template.of(parents[0].candidate, self.integers), around.rng
        rate = 1.0 / math.sqrt(2.0 * len(template.values))
        step = self._inherited(parents[0].note) * math.exp(rate * rng.gauss(0.0, 1.0))
        step = min(max(step, self.least), self.greatest)
        values = [x + self._deviation(x, step) * rng.gauss(0.0, 1.0) for x in template.values]
        return Edit(template.filled(values), f"{len(values)} constants, step {step:.9g}")

    def _deviation(self, x: int | float, step: float) -> float:
        least = HALF if isinstance(x, int) else 0.0
        return max(step * max(abs(x), self.floor), least)

    def _inherited(self, note: str) -> float:
        try:
            step = float(found.group(1)) if (found := STEP.search(note)) else self.step
        except ValueError:
            return self.step
        return step if 0 < step < math.inf else self.step


def _joined(parts: Sequence[str], places: Iterator[str]) -> str:
    """With a space where a number would run into a word, such as `return` of what was `return-1`."""
    found = [parts[0]]
    for part in parts[1:]:
        found += [" " if found[-1][-1:].isalnum() else "", next(places), part]
    return "".join(found)


class _Emptied(cst.CSTTransformer):
    """A mark in the places of these nodes."""

    def __init__(self, nodes: Container[cst.CSTNode]):
        super().__init__()
        self._nodes = nodes

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        return cst.SimpleString(PLACE) if original_node in self._nodes else updated_node


MUTATOR = Constants
