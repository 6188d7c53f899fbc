"""One mutator of several, drawn by weight; where it makes nothing, another one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autotroph.core.errors import AutotrophError
from autotroph.evolve.candidate import NoEdit
from autotroph.evolve.protocols import Edit, Mutator, Parent, Surroundings


@dataclass(frozen=True)
class Mixed:
    """`parts`: mutators with their weights. One that has made nothing is drawn again only after all the others.

    `Edit.mutator` says which it was, `Edit.failed` and `NoEdit.failed` what came to nothing. Each draws from a
    generator of its own, so that how much one draws changes nothing for the others.
    """

    parts: tuple[tuple[Mutator, float], ...]
    tries: int = 4
    name: str = "mixed"

    def __post_init__(self) -> None:
        if not all(weight >= 0 for _, weight in self.parts) or not sum(weight for _, weight in self.parts) > 0:
            raise AutotrophError(f"mutator '{self.name}': weights that are none; give at least one above 0")

    @property
    def parents(self) -> int:
        return max(mutator.parents for mutator, _ in self.parts)

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        failed: list[tuple[str, str]] = []
        left: list[tuple[Mutator, float]] = []
        for _ in range(self.tries):
            left = left or [part for part in self.parts if part[1] > 0]
            mutator, _ = left.pop(around.rng.choices(range(len(left)), [weight for _, weight in left])[0])
            rng = random.Random(around.rng.getrandbits(64))
            try:
                edit = mutator.edit(parents, replace(around, rng=rng))
            except NoEdit as error:
                failed += error.failed or [(mutator.name, error.kind)]
                continue
            return replace(edit, mutator=edit.mutator or mutator.name, failed=(*failed, *edit.failed))
        said = "; ".join(f"{name}: {kind}" for name, kind in failed)
        raise NoEdit(f"no edit in {self.tries} tries ({said})", "no edit found", tuple(failed))
