"""Refinement beside the gate: is a promoted gain one that the champion has, too, once it may sample more?

What more inference gives with the old weights, by a vote or by picking the surest of several answers, is no gain in the
weights (arXiv:2504.13837 finds much of one from practice there, arXiv:2407.21787 how far sampling alone goes). So the
champion is given as many tokens a task as the candidate, and its answers are picked without any gold: a verifier that
knows the sealed answers would make best-of-N an oracle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from autotroph.core.decision import Comparison, Decision, Refinement, Report
from autotroph.core.estimate import Range, Work
from autotroph.core.protocols import Refiner, Sampler
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.evaluate.intervals import paired_interval
from autotroph.evaluate.statistics import cluster_of, difference, paired, sign_test, wins_and_losses
from autotroph.models.lengths import Lengths

MOST = 4
"""Times as many samples as the candidate that the champion gets at most, however short its answers are."""


@dataclass(frozen=True)
class EqualCost:
    """Compares both policies at equal tokens, to the nearest whole sample: `answers` of the candidate to each of about
    `tasks` tasks.

    `refined(n)` are refinements that pick among n samples and see no gold.
    """

    raw: Refiner
    refined: Callable[[int], Sequence[Refiner]]
    answers: int = 5
    tasks: int = 64

    def estimate(self, lengths: Lengths) -> Work:
        """Of one promoted gain, the champion with as many samples as it can get at most."""
        ways = len(self.refined(1))
        samples = 2 + ways * (MOST + round(MOST * self.answers) + self.answers)
        tasks = self.tasks + len(lengths.levels)
        calls = tasks * (2 + 3 * ways)
        asked = lengths.somewhere(Range(0, tasks), samples, lengths.levels)
        return asked + Work(verifier_calls=Range(0, calls))

    def measure(
        self, decision: Decision, suite: SealedSuite, champion: Sampler, candidate: Sampler, seed: int
    ) -> Refinement:
        """On other sealed tasks than those that proved the gain, from the levels where it lies.

        Three comparisons for each refinement, with `ratio` the tokens of the candidate's raw answer over those of the
        champion's. The same refinement on both sides, the candidate with `answers` samples, the champion with
        `ratio` times as many. The candidate's raw answer against the champion with `ratio` samples, where that is two
        or more. Neither side pays more there. And the candidate's raw answer against the champion's refined one: what
        the gain would cost otherwise.
        """
        levels = [level for level, found in decision.levels.items() if found.gained > found.lost]
        tasks = suite.fresh(levels or list(decision.levels), self.tasks, seed)
        ours, theirs = (tasks.run(sampler, self.raw, seed=seed) for sampler in (champion, candidate))
        ratio = min(_ratio(ours, theirs), MOST)
        found = [compare(ours, theirs, self.raw.name, self.raw.name, equal_cost=False)]
        if round(ratio) > 1:
            for refiner in self.refined(round(ratio)):
                rival = tasks.run(champion, refiner, seed=seed)
                found.append(compare(rival, theirs, refiner.name, self.raw.name, equal_cost=True))
        refiners = self.refined(max(1, round(ratio * self.answers))), self.refined(self.answers)
        for before, after in zip(*refiners, strict=True):
            rival = tasks.run(champion, before, seed=seed)
            found.append(compare(rival, tasks.run(candidate, after, seed=seed), before.name, after.name, True))
            found.append(compare(rival, theirs, before.name, self.raw.name, equal_cost=False))
        return Refinement(outcome(found), tuple(sorted(levels)), tuple(found))


def beside(champion: Report, candidate: Report, refined: Report) -> Refinement:
    """The same question about results that somebody else measured: `refined` are the champion's with more inference.

    They count as bought at equal cost unless both costs are known and the candidate's is the lower one.
    """
    dearer = refined.cost is not None and candidate.cost is not None and refined.cost > candidate.cost
    found = (
        compare(champion, candidate, "raw", "raw", equal_cost=False),
        compare(refined, candidate, "refined", "raw", equal_cost=not dearer),
    )
    return Refinement(outcome(found), tuple(sorted({result.level for result in candidate.results})), found)


def compare(champion: Report, candidate: Report, before: str, after: str, equal_cost: bool) -> Comparison:
    """Two reports on the same tasks; `before` and `after` say how champion and candidate answered.

    Raises ValueError when the tasks are not the same.
    """
    pairs = paired(champion, candidate)
    seen = [(change, cluster_of(pair[0])) for pair in pairs if (change := difference(pair)) is not None]
    changes, names = [change for change, _ in seen], [name for _, name in seen]
    return Comparison(
        before,
        after,
        champion.cost,
        candidate.cost,
        equal_cost,
        tuple((ours.score, theirs.score) for ours, theirs in pairs),
        sum(changes) / len(changes) if changes else None,
        paired_interval(changes, names) if len(set(names)) > 1 else None,
        sign_test(*wins_and_losses(pairs)),
    )


def outcome(comparisons: Sequence[Comparison], level: float = 0.05) -> Literal["matched", "not matched", "open"]:
    """What the comparisons at equal cost say together.

    "not matched" asks for a proof in every one, so that no correction for their number is needed (Berger 1982).
    """
    equal = [one for one in comparisons if one.equal_cost and one.difference is not None]
    if any(one.difference is not None and one.difference <= 0 for one in equal):
        return "matched"
    return "not matched" if equal and all(one.p_value <= level for one in equal) else "open"


def _ratio(champion: Report, candidate: Report) -> float:
    """Tokens of the candidate's raw answer over those of the champion's; 1 where either is unknown or none."""
    ratio = (candidate.cost or 0.0) / champion.cost if champion.cost else 0.0
    return ratio if ratio > 0 and math.isfinite(ratio) else 1.0
