"""Few tasks that stand for all of them: greedy facility location.

Written here, since the library for it (apricot) is no longer kept up and the greedy step is one line of numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import View
from autotroph.core.reject import is_live, reject_groups
from autotroph.core.trace import Group
from autotroph.select.dedup import shingle

Floats = npt.NDArray[np.floating[Any]]


def facility_location(similarity_NN: Floats, k: int) -> list[int]:
    """k columns, greedily: each adds most to f(S) = sum over i of max over j in S of similarity[i, j].

    Similarities are at least 0. f is submodular, so that f of this choice is at least 1 - 1/e of the best one's
    (Nemhauser et al., 1978).
    """
    best_N, chosen = np.zeros(len(similarity_NN)), list[int]()
    free_N = np.ones(len(similarity_NN), dtype=bool)
    for _ in range(min(k, len(similarity_NN))):
        gain_N = np.maximum(similarity_NN - best_N[:, None], 0).sum(axis=0)
        pick = int(np.argmax(np.where(free_N, gain_N, -1.0)))
        chosen.append(pick)
        free_N[pick] = False
        best_N = np.maximum(best_N, similarity_NN[:, pick])
    return chosen


def cosine(texts: Sequence[str], n: int) -> Floats:
    """Cosine similarity of the texts' sets of character n-grams."""
    grams = [shingle(text, n) for text in texts]
    columns = {gram: i for i, gram in enumerate(sorted(frozenset().union(*grams)))}
    rows_NG = np.zeros((len(texts), len(columns)), dtype=np.float32)
    for i, own in enumerate(grams):
        rows_NG[i, [columns[gram] for gram in own]] = len(own) ** -0.5
    return np.asarray(rows_NG @ rows_NG.T)


@dataclass
class Diverse:
    """Keeps the `share` of the tasks whose prompts stand best for all prompts; the others are "redundant".

    `metrics`: mean similarity of a prompt to the kept one that is most like it.
    """

    share: float
    n: int = 3
    dropped: dict[str, int] = field(default_factory=dict, init=False)
    metrics: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise AutotrophError(f"diversity: {self.share} of the tasks cannot be kept; use a share above 0, at most 1")

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        live = [i for i, group in enumerate(groups) if is_live(group)]
        if not live:
            return list(groups)
        similarity_NN = cosine([groups[i].task.prompt for i in live], self.n)
        chosen = facility_location(similarity_NN, math.ceil(self.share * len(live) - 1e-9))
        out = {i for place, i in enumerate(live) if place not in set(chosen)}
        remaining, self.dropped = reject_groups(groups, ("redundant" if i in out else None for i in range(len(groups))))
        self.metrics = {"coverage": float(similarity_NN[:, chosen].max(axis=1).mean())}
        return remaining
