"""Paired comparison of two policies on the same sealed tasks, and what one comparison among many may conclude."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

from autotroph.core.decision import Flips, Report, Result
from autotroph.core.errors import AutotrophError
from autotroph.core.task import stable_hash

K = TypeVar("K", bound=Hashable)
Pair = tuple[Result, Result]
"""Champion's and candidate's result on one task."""


def sign_test(wins: int, losses: int) -> float:
    """P(at least `wins` of wins + losses fair coins come up heads); 1 where there are none.

    On discordant pairs this is the exact one-sided McNemar test of "the candidate is no better" (McNemar 1947).
    """
    from scipy.stats import binomtest  # takes half a second, which a resumed run need not wait for

    return float(binomtest(wins, wins + losses, 0.5, alternative="greater").pvalue) if wins + losses else 1.0


def mcnemar(gained: int, lost: int) -> float:
    """Exact two-sided McNemar test of "gains and losses are equally likely": twice the smaller tail, at most 1."""
    return min(1.0, 2 * sign_test(max(gained, lost), min(gained, lost)))


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Unbiased estimate of P(at least one of k samples is right) from `correct` right ones among n.

    1 - C(n - correct, k) / C(n, k), equation 1 of arXiv:2107.03374. Raises AutotrophError unless 1 <= k <= n and
    0 <= correct <= n.
    """
    if not (1 <= k <= n and 0 <= correct <= n):
        raise AutotrophError(f"pass@{k}: {correct} right of {n} samples; give 1 <= k <= n and 0 <= right <= n")
    return 1 - math.comb(n - correct, k) / math.comb(n, k)


def paired(champion: Report, candidate: Report) -> list[Pair]:
    """Results of the same task side by side. Raises ValueError when the two reports are not about the same tasks."""
    ours = {result.key: result for result in champion.results}
    theirs = {result.key: result for result in candidate.results}
    if ours.keys() != theirs.keys() or len(ours) != len(champion.results) or len(theirs) != len(candidate.results):
        raise ValueError("champion and candidate were not measured on the same tasks, each once")
    return [(ours[key], theirs[key]) for key in ours]


def difference(pair: Pair) -> float | None:
    """Candidate's score - champion's, in [-1, 1]; None unless both are numbers."""
    before, after = pair[0].score, pair[1].score
    if before is None or after is None or math.isnan(before + after):
        return None
    return after - before


def flips(pairs: Sequence[Pair]) -> Flips:
    differences = [difference(pair) for pair in pairs]
    scored = [value for value in differences if value is not None]
    gained, lost = sum(value > 0 for value in scored), sum(value < 0 for value in scored)
    return Flips(gained, lost, len(scored) - gained - lost, len(pairs) - len(scored))


def flips_by(pairs: Sequence[Pair], of: Callable[[Result], K]) -> dict[K, Flips]:
    """Flips of the tasks of each level, tag, ...; in the order in which `of` first names them."""
    return {name: flips(same) for name, same in split(pairs, of).items()}


def split(pairs: Sequence[Pair], of: Callable[[Result], K]) -> dict[K, list[Pair]]:
    groups: dict[K, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(of(pair[0]), []).append(pair)
    return groups


def cluster_of(result: Result) -> tuple[bool, str]:
    """What the task shares with those that depend on it; a task without a cluster stands alone."""
    return result.cluster is None, result.key if result.cluster is None else result.cluster


def rounded(change: float, key: str) -> int:
    """-1, 0 or 1 with `change` as its mean: 0.3 counts as a whole gain for three tasks of ten, as none for the others.

    The coin is the task's key, so that the same results always count the same. On binary scores nothing is left to it.
    """
    coin = int(stable_hash("partial credit", key)[:13], 16) / 16**13
    return int(math.copysign(coin < abs(change), change))


def wins_and_losses(pairs: Sequence[Pair], unscored_lost: bool = False) -> tuple[int, int]:
    """Clusters in which the candidate gained more tasks than it lost, and those in which it lost more.

    Tasks of one cluster depend on one another, so the cluster is what is counted. Parts of a point are `rounded`: a
    tenth gained must not weigh as much as a whole one lost. With `unscored_lost` a task that was not scored on both
    sides counts as lost: then no missing score can ever make a candidate look better.
    """
    nets: dict[tuple[bool, str], int] = defaultdict(int)
    for pair in pairs:
        change = difference(pair)
        nets[cluster_of(pair[0])] += -unscored_lost if change is None else rounded(change, pair[0].key)
    return sum(net > 0 for net in nets.values()), sum(net < 0 for net in nets.values())


def cluster_means(pairs: Sequence[Pair], unscored: float | None = None) -> np.ndarray:
    """Mean difference of each cluster, in [-1, 1]; a task that is not scored counts as `unscored`, None: not at all."""
    changes: dict[tuple[bool, str], list[float]] = defaultdict(list)
    for pair in pairs:
        change = difference(pair)
        if (value := unscored if change is None else change) is not None:
            changes[cluster_of(pair[0])].append(value)
    return np.array([sum(same) / len(same) for same in changes.values()])


def spent_alpha(alpha: float, look: int, looks: int | None = None) -> float:
    """Significance level of the look-th comparison, 1-based, such that all levels together sum to at most alpha.

    alpha / looks where the number of looks is planned (nothing is left for any look beyond), else
    alpha * 6 / (pi^2 look^2).
    """
    if looks is not None:
        return alpha / looks if look <= looks else 0.0
    return alpha * 6 / (math.pi * look) ** 2


def history_share(earlier: int, answered: int) -> float:
    """Share of a look's level that belongs to one history of `earlier` verdicts on the same sealed set.

    `answered` of them were promote or roll back, the others hold. There are C(earlier, answered) 2^answered such
    histories; together they have 2^-(answered + 1), or 2^-earlier where answered = earlier, so that the shares of all
    histories of one length sum to 1. docs/evaluation.md says why this pays for adaptive reuse. Raises AutotrophError
    unless 0 <= answered <= earlier.
    """
    if not 0 <= answered <= earlier:
        raise AutotrophError(
            f"gate: {answered} verdicts other than hold among {earlier} on this sealed set; "
            "count the earlier looks at this set alone"
        )
    return math.ldexp(1.0, -min(answered + 1, earlier) - answered) / math.comb(earlier, answered)
