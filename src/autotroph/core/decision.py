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
    """Mean cost of one task, in any unit that champion and candidate share; here, generated tokens, those of every
    sample that the answer was picked from."""
    length: float | None = None
    """Mean length of the answers, in characters."""

    def accuracy(self) -> dict[int, tuple[float, int]]:
        """Level -> (mean score, number of scored tasks), ascending; levels without any scored task are left out, and so
        are suites that bear a tag, whose levels are their own."""
        levels: dict[int, list[float]] = {}
        for result in self.results:
            if result.score is not None and not result.tag:
                levels.setdefault(result.level, []).append(result.score)
        return {level: (sum(scores) / len(scores), len(scores)) for level, scores in sorted(levels.items())}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The candidate's answers, given in one way, against the champion's, given in another, on the same tasks."""

    champion: str
    """How the champion answered: "greedy", "vote@5", ..."""
    candidate: str
    champion_cost: float | None
    """Mean cost of one task, all its samples counted."""
    candidate_cost: float | None
    equal_cost: bool
    """Whether both sides had the same tokens to spend."""
    scores: tuple[tuple[float | None, float | None], ...]
    """Champion's and candidate's score of each task: the figures below follow from them."""
    difference: float | None
    interval: tuple[float, float] | None
    p_value: float
    """Exact, one-sided, of "the candidate is no better"."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """Whether a promoted candidate's gain is one that its champion has, too, once it may sample more.

    "matched": in some comparison at equal cost the champion did as well; "not matched": the candidate is proven better
    in all of them; "open": neither.
    """

    outcome: Literal["matched", "not matched", "open"]
    levels: tuple[int, ...]
    """Where the gain is, and where the tasks are therefore from."""
    comparisons: tuple[Comparison, ...]
    """The first one is of raw answers."""


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
    age: int = 0
    """Decisions that this sealed set has served, this one included: 1 where the tasks were fresh."""
    levels: Mapping[int, Flips] = field(default_factory=dict)
    tags: Mapping[str, Flips] = field(default_factory=dict)
    difference: float | None = None
    """Mean of candidate - champion over the tasks that both have scored."""
    interval: tuple[float, float] | None = None
    """95% interval of `difference`; what one may believe of a single comparison, not what the verdict rests on."""
    refinement: Refinement | None = None
    """What sampling makes of the same gain; None where it was not measured. It never changes the verdict."""

    @property
    def promoted(self) -> bool:
        return self.verdict == "promote"
