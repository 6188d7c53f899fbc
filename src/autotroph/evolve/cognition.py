"""A cognition base: what was tried in a search, what came of it, and the lessons that are drawn from that.

After ASI-Evolve's cycle: learn, design, experiment, analyze. All of it follows from the archive, so that a search that
is resumed knows the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive


@dataclass(frozen=True, slots=True)
class Experiment:
    """An edit of a parent, what its maker had to say of it, and the mean outcomes of parent and child on the tasks
    that both were tried on."""

    edit: str
    note: str
    before: float
    after: float

    @property
    def gain(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Lesson:
    """Of a kind of edit: how often it was tried, how often its child was better than the parent, and the mean gain."""

    edit: str
    tried: int
    helped: int
    gain: float


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a mutator is told before it edits. `priors`: what was known before the search, in words."""

    lessons: tuple[Lesson, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    priors: str = ""


@dataclass(frozen=True)
class Cognition:
    """`nearest`: experiments that are remembered for an edit, those whose parents were likest to the one that is to be
    edited; of equally near ones the newest. Likeness is by outcomes: mean |difference| over tasks that both have."""

    nearest: int = 40
    priors: str = ""

    def briefing(self, archive: Archive, node: int) -> Briefing:
        found = self.experiments(archive, node)
        return Briefing(analyzed(found), found, self.priors)

    def experiments(self, archive: Archive, node: int) -> tuple[Experiment, ...]:
        """Those nearest to a node, nearest first; only children that share a tried task with their first parent."""
        children = np.flatnonzero((archive.column("parent") >= 0) & (archive.column("trials") > 0))
        parents = archive.column("parent")[children].astype(int)
        before_MT, after_MT = archive.table[parents], archive.table[children]
        both_MT = ~np.isnan(before_MT + after_MT)
        rows = np.flatnonzero(both_MT.any(axis=1))
        off_MT = np.abs(before_MT - archive.table[node])
        shared_M = (~np.isnan(off_MT)).sum(axis=1)
        far_M = np.where(shared_M > 0, np.nansum(off_MT, axis=1) / np.maximum(shared_M, 1), np.inf)
        kept = rows[np.lexsort((-children[rows], far_M[rows]))][: self.nearest]
        found = []
        for row in kept:
            made, both_T = archive.nodes[children[row]], both_MT[row]
            means = (float(side_MT[row, both_T].mean()) for side_MT in (before_MT, after_MT))
            found.append(Experiment(made.mutator, made.note, *means))
        return tuple(found)


def analyzed(experiments: Sequence[Experiment]) -> tuple[Lesson, ...]:
    """A lesson of each kind of edit, by name."""
    gains: dict[str, list[float]] = {}
    for one in experiments:
        gains.setdefault(one.edit, []).append(one.gain)
    return tuple(
        Lesson(edit, len(own), sum(gain > 0 for gain in own), sum(own) / len(own))
        for edit, own in sorted(gains.items())
    )


def taught(weights: Sequence[float], edits: Sequence[str], lessons: Sequence[Lesson]) -> list[float]:
    """Weights of kinds of edit, each times the chance that it helps: (helped + 2 p) / (tried + 2), where p is the
    chance of all kinds together, (helped + 1) / (tried + 2). So what was never tried is taken to be like the others."""
    overall = (sum(one.helped for one in lessons) + 1) / (sum(one.tried for one in lessons) + 2)
    chances = {one.edit: (one.helped + 2 * overall) / (one.tried + 2) for one in lessons}
    return [weight * chances.get(edit, overall) for weight, edit in zip(weights, edits, strict=True)]
