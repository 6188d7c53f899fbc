"""Subtree crossover: part of a second parent takes the place of a part of the same kind in the first (Koza 1992)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import libcst as cst

from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.lines import blended
from autotroph.evolve.mutate.python import same, written
from autotroph.evolve.mutate.sites import Site, Sites, enclosed, replaced, sites, with_body
from autotroph.evolve.protocols import Edit, Parent, Surroundings

WEIGHTS: Mapping[str, float] = MappingProxyType({"function": 3, "statement": 2, "expression": 2})
"""How often each kind of part is taken, relative to the others that both have."""


@dataclass(frozen=True)
class Crossover:
    """Of one file that both parents have and that differs. Functions are exchanged with those of the same name;
    files that are no programs are blended by the lines in which they differ. `tries`: children that are one of the
    parents, or do not compile, before it gives up. A child always differs from both parents.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)
    tries: int = 20
    name: str = "crossover"
    parents: int = 2

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        if len(parents) < 2:
            raise NoEdit("crossover needs two parents")
        ours, theirs, rng = parents[0].candidate, parents[1].candidate, around.rng
        differing = [name for name in ours.open if theirs.files.get(name, ours.files[name]) != ours.files[name]]
        if not differing:
            raise NoEdit("the parents have no file that differs")
        file = rng.choice(differing)
        text, what = self._crossed(file, ours, theirs, rng)
        return Edit(ours.edited({file: text}), f"{file}: {what}")

    def _crossed(self, file: str, ours: Candidate, theirs: Candidate, rng: random.Random) -> tuple[str, str]:
        one, other = ours.text(file), theirs.text(file)
        if not file.endswith(".py"):
            return blended(one, other, rng), "lines"
        first, second = sites(one), sites(other)
        kinds = [kind for kind in self.weights if first.found[kind] and second.found[kind]]
        if not sum(self.weights[kind] for kind in kinds):
            raise NoEdit("the parents have no part in common")
        for _ in range(self.tries):
            kind = rng.choices(kinds, [self.weights[kind] for kind in kinds])[0]
            try:
                text = written(_taken(kind, first, second, rng))
            except (NoEdit, RecursionError):
                continue
            if not same(text, one) and not same(text, other):
                return text, kind
        raise NoEdit(f"no child of '{file}' that is neither parent in {self.tries} tries", "no edit found")


def _taken(kind: str, first: Sites, second: Sites, rng: random.Random) -> cst.Module:
    """The first program with a part of the second. Raises NoEdit where none fits."""
    place = rng.choice(first.found[kind])
    fit = [site for site in second.found[kind] if _fits(place, site)]
    if not fit:
        raise NoEdit(f"no {kind} fits")
    part = rng.choice(fit)
    if kind != "statement":
        new = part.node if kind == "function" else enclosed(_expression(part.node))
        return replaced(place, new)
    body = list(place.body)
    body[place.index : place.index + rng.randrange(2)] = [part.body[part.index]]
    return with_body(place, body)


def _fits(place: Site, part: Site) -> bool:
    if place.kind == "function":
        return place.inside == part.inside
    if place.kind == "expression":
        return type(place.node) is type(part.node) and not place.node.deep_equals(part.node)
    return set(part.inside) <= set(place.inside) or not part.inside


def _expression(node: cst.CSTNode) -> cst.BaseExpression:
    assert isinstance(node, cst.BaseExpression)
    return node


MUTATOR = Crossover
