"""What most search policies have in common: a child is evaluated on all tasks before the next one is made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autotroph.evolve.archive import Archive, weighted
from autotroph.evolve.protocols import Choice, Evaluate, Expand

Weigh = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Mean outcomes [M] and numbers of children [M] of possible parents -> their weights [M]."""
ROOT = 0


def unfinished(archive: Archive) -> Evaluate | None:
    """The newest node whose tasks are not all begun; None where there is none."""
    waiting = np.flatnonzero(archive.begun < archive.tasks)
    return Evaluate(int(waiting[-1])) if len(waiting) else None


def finished(archive: Archive) -> np.ndarray:
    """Nodes whose outcomes are all there [M], the root alone where none has them yet."""
    nodes = np.flatnonzero(archive.complete)
    return nodes if len(nodes) else np.array([ROOT])


def scores(archive: Archive, nodes: np.ndarray) -> np.ndarray:
    """Mean outcomes of nodes [M]; 0 where nothing is known."""
    means: np.ndarray = np.nan_to_num(archive.means[nodes])
    return means


def finish_or_expand(archive: Archive, weigh: Weigh, rng: np.random.Generator) -> Choice:
    """Go on with the newest child; where all are evaluated, edit a finished node drawn with these weights."""
    if evaluate := unfinished(archive):
        return evaluate
    nodes = finished(archive)
    weights = weigh(scores(archive, nodes), archive.column("children")[nodes])
    return Expand((int(nodes[weighted(weights, rng)]),))
