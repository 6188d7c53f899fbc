"""Mutators one after another, such as crossover and then a mutation of the child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autotroph.evolve.candidate import NoEdit
from autotroph.evolve.protocols import Edit, Mutator, Parent, Surroundings


@dataclass(frozen=True)
class Chain:
    """Each edits what the one before it has made, beside the same further parents; one that makes nothing is passed
    over. Raises NoEdit where none makes anything, and where the last child is the first parent again."""

    parts: tuple[Mutator, ...]
    name: str = "chain"

    @property
    def parents(self) -> int:
        return max(mutator.parents for mutator in self.parts)

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        now, done, notes = parents[0], list[str](), list[str]()
        failed: list[tuple[str, str]] = []
        for mutator in self.parts:
            try:
                edit = mutator.edit([now, *parents[1:]], around)
            except NoEdit as error:
                failed += error.failed or [(mutator.name, error.kind)]
                continue
            failed += edit.failed
            done.append(edit.mutator or mutator.name)
            notes += [edit.note] if edit.note else []
            now = replace(now, candidate=edit.candidate, note=edit.note)
        if now.candidate == parents[0].candidate:
            said = "; ".join(f"{name}: {kind}" for name, kind in failed)
            raise NoEdit(f"no edit ({said})" if said else "nothing is changed", "no edit found", tuple(failed))
        return Edit(now.candidate, "; ".join(notes), "+".join(done), tuple(failed))
