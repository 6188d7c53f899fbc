"""The balance score of B-STaR (arXiv:2412.17256): how much a configuration explores, and how well it chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from autotroph.core.errors import AutotrophError
from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import is_scored

WANTED = 8
"""Right answers to one task beyond which more do not count."""
THRESHOLDS = tuple(round(-1 + 0.01 * i, 2) for i in range(201))


@dataclass(frozen=True)
class Tried:
    """One different answer to a task: its reward, the highest where it was given more than once, and if it is right."""

    reward: float
    right: bool


def tried(group: Group, verified: str) -> list[Tried]:
    """The different scored answers of a group, in the order given; right is what has a reward `verified` above 0."""
    answers: dict[str, Tried] = {}
    for trace in group.traces:
        reward = trace.reward
        if not is_scored(reward):
            continue
        before = answers.get(trace.text)
        best = reward if before is None else max(reward, before.reward)
        answers[trace.text] = Tried(best, (trace.rewards[verified] or 0.0) > 0)
    return list(answers.values())


def balance(answers: Sequence[Tried], threshold: float, wanted: int = WANTED) -> float:
    """min(right / wanted, 1) * right / selected over the answers with a reward of `threshold` or more; none: 0."""
    selected = [answer for answer in answers if answer.reward >= threshold]
    right = sum(answer.right for answer in selected)
    return min(right / wanted, 1.0) * right / len(selected) if selected else 0.0


def best_threshold(tasks: Sequence[Sequence[Tried]], wanted: int = WANTED) -> tuple[float, float]:
    """(mean balance over the tasks, threshold of THRESHOLDS) at its highest; of equals the highest threshold.

    Raises AutotrophError where there is no task.
    """
    if not tasks:
        raise AutotrophError("balance: there is no task to choose by; give it at least one")
    means = [(fmean(balance(answers, threshold, wanted) for answers in tasks), threshold) for threshold in THRESHOLDS]
    return max(means)


def exploration(tasks: Sequence[Sequence[Tried]], s: int) -> float:
    """Pass@K-S: share of tasks to which at least s of the K answers are different and right."""
    return fmean(sum(answer.right for answer in answers) >= s for answers in tasks)


def exploitation(tasks: Sequence[Sequence[Tried]], s: int) -> float:
    """Reward@K-S: share of right ones among the s different answers of the highest reward, mean over the tasks.

    Where a task has fewer than s, the missing ones count as wrong.
    """
    best = [sorted(answers, key=lambda answer: -answer.reward)[:s] for answers in tasks]
    return fmean(sum(answer.right for answer in answers) / s for answers in best)


def below(threshold: float, trace: Trace) -> str | None:
    """Why a trace is not selected; None where it is, or was given."""
    if trace.stop == "given":
        return None
    reward = trace.reward
    if not is_scored(reward):
        return "unscored"
    return "below threshold" if reward < threshold else None
