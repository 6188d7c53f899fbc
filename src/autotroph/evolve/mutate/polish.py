"""CMA-ES over the numeric constants of one candidate (Hansen, arXiv:1604.00772; library `cmaes`).

It learns from whole generations, so it is no mutator: it takes a candidate, a judge and a number of evaluations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from cmaes import CMA, SepCMA

from autotroph.core.errors import AutotrophError
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.constants import Template

MANY = 100
"""Constants beyond which only a diagonal covariance is learnt: a full one takes a square of them."""

Judge = Callable[[Sequence[Candidate]], Sequence[float | None]]
"""Scores of candidates, higher for better; None or NaN for one that has none."""


@dataclass(frozen=True)
class Polished:
    """`score`: of the candidate; `evaluations`: how many candidates were judged for it, itself included."""

    candidate: Candidate
    score: float
    evaluations: int


def polish(
    candidate: Candidate, judge: Judge, evaluations: int, seed: int, step: float = 0.1, floor: float = 1e-3
) -> Polished:
    """The best of at most so many candidates that differ from this one in their constants alone, itself one of them.

    CMA-ES on (constant - start) / max(|start|, floor), begun with deviation `step`. Deterministic where the judge is.
    Raises NoEdit where there are no constants, AutotrophError where the candidate itself has no score.
    """
    template = Template.of(candidate)
    first = _score(judge([candidate])[0])
    if first == -math.inf:
        raise AutotrophError("the candidate to polish has no score; give one that has")
    start = np.array(template.values, dtype=float)
    scale = np.maximum(np.abs(start), floor)
    search = (SepCMA if len(start) > MANY else CMA)(  # neither works in one dimension: a second one does nothing
        mean=np.zeros(max(2, len(start))), sigma=step, seed=seed % 2**32
    )
    best, spent = Polished(candidate, first, 1), 1
    while spent + search.population_size <= evaluations and not search.should_stop():
        points = [search.ask() for _ in range(search.population_size)]
        children = [_child(template, start + scale * point[: len(start)]) for point in points]
        scores = iter(judge([child for child in children if child is not None]))
        found = [-math.inf if child is None else _score(next(scores)) for child in children]
        spent += sum(child is not None for child in children)
        for child, score in zip(children, found, strict=True):
            if child is not None and score > best.score:
                best = Polished(child, score, spent)
        worst = min((score for score in found if score > -math.inf), default=0.0)
        losses = [-score if score > -math.inf else 1.0 + abs(worst) - worst for score in found]
        search.tell(list(zip(points, losses, strict=True)))
    return Polished(best.candidate, best.score, spent)


def _child(template: Template, values: np.ndarray) -> Candidate | None:
    try:
        return template.filled([float(x) for x in values])
    except NoEdit:
        return None


def _score(found: float | None) -> float:
    return -math.inf if found is None or not math.isfinite(found) else float(found)
