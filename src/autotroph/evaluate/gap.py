"""The generation-verification gap: how much better than chance something picks among a policy's own samples.

A policy that learns what a verifier, a judge or a vote picks can gain what the pick gains over a blind one, and little
else (arXiv:2412.02674, arXiv:2412.01951). The gap is measured on train tasks, so the sealed ones stay unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autotroph.core.errors import AutotrophError
from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import is_scored, mean_logprob
from autotroph.store.record import Gap

Pick = Callable[[Group], Trace]
RESAMPLES = 2000


def measure_gap(groups: Sequence[Group], picker: str, pick: Pick, seed: int = 0) -> Gap:
    """The gap over groups whose traces bear the verifier's scores.

    Of each group: the score of the picked trace less the mean score of all, which a blind pick gets on average. `gap`
    is the mean over groups, `low` and `high` its 95% percentile bootstrap interval over tasks (Efron 1979). `best`:
    mean of the groups' highest scores, the ceiling of any pick. Unscored traces take no part; a group whose pick is
    unscored is left out and counted. Raises AutotrophError where no group is left.
    """
    rows = [row for group in groups if (row := _scores(group, pick)) is not None]
    if not rows:
        raise AutotrophError(
            f"gap: none of {len(groups)} groups has a scored pick; mend the verifier, or skip with --gap-samples 0"
        )
    mean_G, picked_G, best_G = np.array(rows).T
    gains_G = picked_G - mean_G
    draws_RG = np.random.default_rng(seed).integers(len(rows), size=(RESAMPLES, len(rows)))
    low, high = np.quantile(gains_G[draws_RG].mean(axis=1), (0.025, 0.975))
    return Gap(
        picker=picker,
        tasks=len(rows),
        samples=max(len(group.traces) for group in groups),
        mean=float(mean_G.mean()),
        picked=float(picked_G.mean()),
        best=float(best_G.mean()),
        gap=float(gains_G.mean()),
        low=float(low),
        high=float(high),
        unscored=len(groups) - len(rows),
    )


def highest(group: Group) -> Trace:
    """The trace with the highest reward, the first among equals: the pick of whoever gave the rewards."""
    return max(group.traces, key=lambda trace: -np.inf if not is_scored(trace.reward) else trace.reward)


def surest(group: Group) -> Trace:
    """The trace with the highest mean log-probability, the first among equals."""

    def certainty(trace: Trace) -> float:
        sure = mean_logprob(trace)
        return -np.inf if sure is None else sure

    return max(group.traces, key=certainty)


def require(gap: Gap, least: float) -> None:
    """Raises AutotrophError where even the interval's upper end of the gap is below `least`."""
    if gap.high < least:
        raise AutotrophError(
            f"gap: the {gap.picker} picks {gap.gap:+.3f} better than chance (95% {gap.low:+.3f} to {gap.high:+.3f}, "
            f"{gap.tasks} tasks), below --require-gap {least:g}; choose a level that the base solves now and then, a "
            "better verifier, or lower --require-gap"
        )


def _scores(group: Group, pick: Pick) -> tuple[float, float, float] | None:
    """(mean, picked, best) of a group's scores; None where the pick has none."""
    scores = [trace.reward for trace in group.traces if is_scored(trace.reward)]
    if not scores:
        return None
    chosen = pick(group).reward
    return (sum(scores) / len(scores), chosen, max(scores)) if is_scored(chosen) else None
