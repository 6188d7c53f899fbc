"""Judges: which of two answers is the better one, said without a verifier."""

from __future__ import annotations

from dataclasses import dataclass

from autotroph.core.protocols import Judge
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import mean_logprob


@dataclass(frozen=True)
class Likelier:
    """Implements `core.protocols.Judge`: prefers what the answering policy found likelier a token.

    Equal ones count by their text, so that which one stands first never matters; an answer without any sampled token
    loses.
    """

    def __call__(self, task: Task, first: Trace, second: Trace) -> int:
        return int(_rank(second) > _rank(first))


def _rank(trace: Trace) -> tuple[float, str]:
    mean = mean_logprob(trace)
    return (float("-inf") if mean is None else mean), trace.text


def winner(group: Group, judge: Judge) -> Trace:
    """The last one standing of a knock-out among the kept traces: each next one meets the winner so far."""
    best, *others = group.kept
    for other in others:
        best = (best, other)[judge(group.task, best, other)]
    return best
