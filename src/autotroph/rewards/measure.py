"""What votes and confidence are counted from; shared by rewards, selection and refinement."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from itertools import compress
from typing import TypeGuard

from autotroph.core.trace import Group, Trace


def is_scored(value: float | None) -> TypeGuard[float]:
    """Whether a reward says anything: None is unscored, and so is NaN."""
    return value is not None and not math.isnan(value)


def mean_logprob(trace: Trace) -> float | None:
    """Mean log-probability in nats of the tokens that the policy sampled.

    It is of the distribution they were sampled from, so traces compare only at one temperature. None where nothing was
    sampled: a given answer, a failed rollout, no token.
    """
    if trace.stop == "given" or trace.error is not None:
        return None
    logprobs = list(compress(trace.logprobs, trace.sampled))
    return sum(logprobs) / len(logprobs) if logprobs else None


def votes(traces: Iterable[Trace]) -> Counter[str]:
    """How often each text was answered; failed rollouts do not vote."""
    return Counter(trace.text for trace in traces if trace.error is None)


def majority(ballot: Counter[str]) -> str | None:
    """The single most common text; None where there is no vote or the first place is shared."""
    match ballot.most_common(2):
        case [(text, _)]:
            return text
        case [(text, first), (_, second)] if first > second:
            return text
    return None


def elected(group: Group, threshold: float = 0.0) -> str | None:
    """The majority answer of a group; None where fewer than `threshold` of its traces gave it."""
    ballot = votes(group.traces)
    winner = majority(ballot)
    return winner if winner is not None and ballot[winner] >= threshold * len(group.traces) else None
