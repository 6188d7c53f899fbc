"""An edit made once more: what made one candidate better than its ancestor is done to another.

LLM Guided Evolution asks a model what it was, and to do the like elsewhere (arXiv:2403.11446); here the edit itself is
merged in, line by line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autotroph.evolve.candidate import NoEdit
from autotroph.evolve.mutate.merge import Merge
from autotroph.evolve.protocols import Edit, Parent, Surroundings


@dataclass(frozen=True)
class Replay:
    """What differs between the third parent and the second, which has to be better, is done to the first. Where the
    first differs from the third in the same place, it stays as it is. Raises NoEdit where nothing comes of it."""

    name: str = "replay"
    parents: int = 3

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        better, worse = improvement(parents)
        edit = Merge().edit([parents[0], better], replace(around, ancestor=worse.candidate))
        return replace(edit, note="replayed what made another one better")


def improvement(parents: Sequence[Parent]) -> tuple[Parent, Parent]:
    """Second and third parent. Raises NoEdit unless the second is known to be better."""
    if len(parents) < 3:
        raise NoEdit("to replay an edit takes three parents")
    better, worse = parents[1], parents[2]
    if better.mean is None or worse.mean is None or better.mean <= worse.mean:
        raise NoEdit("the second parent is no better than the third")
    return better, worse


MUTATOR = Replay
