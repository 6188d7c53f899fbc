"""Evidence about a candidate and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["promote", "hold", "roll back"]


@dataclass(frozen=True, slots=True)
class Result:
    """Score of one sealed task in [0, 1]; None where it could not be scored.

    `tag` names the suite or kind it belongs to; tasks of one `cluster` (variants of a problem, questions about a text)
    depend on one another; a `protected` task is one that no candidate may lose.
    """

    key: str
    level: int
    score: float | None
    tag: str = ""
    cluster: str | None = None
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Flips:
    """Tasks that the candidate gained, lost, or left as they were; `unscored` on either side count nowhere else."""

    gained: int
    lost: int
    kept: int
    unscored: int


@dataclass(frozen=True, slots=True)
class Report:
    """Per-task results of one policy on one sealed suite, never only a mean."""

    policy: str
    suite: str
    results: tuple[Result, ...]
    refined: Mapping[str, float]
    """Mean score by inference refinement ("greedy", "vote@5", ...), measured beside the raw answers."""
    entropy: float | None = None
    cost: float | None = None
    """Mean cost of one answer, in any unit that champion and candidate share; here, generated tokens."""
    length: float | None = None
    """Mean length of the answers, in characters."""

    def accuracy(self) -> dict[int, tuple[float, int]]:
        """Level -> (mean score, number of scored tasks), ascending; levels without any scored task are left out."""
        levels: dict[int, list[float]] = {}
        for result in self.results:
            if result.score is not None:
                levels.setdefault(result.level, []).append(result.score)
        return {level: (sum(scores) / len(scores), len(scores)) for level, scores in sorted(levels.items())}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says, why, and the figures from which anyone can recompute it."""

    verdict: Verdict
    reason: str
    champion: str
    candidate: str
    gained: int = 0
    lost: int = 0
    kept: int = 0
    unscored: int = 0
    p_value: float | None = None
    alpha: float | None = None
    look: int = 0
    levels: Mapping[int, Flips] = field(default_factory=dict)
    tags: Mapping[str, Flips] = field(default_factory=dict)
    difference: float | None = None
    """Mean of candidate - champion over the tasks that both have scored."""
    interval: tuple[float, float] | None = None
    """95% interval of `difference`; what one may believe of a single comparison, not what the verdict rests on."""

    @property
    def promoted(self) -> bool:
        return self.verdict == "promote"
