"""Selection by score: a reward's threshold, or how sure the policy itself was."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from autotroph.core.protocols import View
from autotroph.core.reject import level_of, reject_traces
from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import is_scored, mean_logprob


@dataclass
class ScoreFilter:
    """Rejects traces whose reward `name` is below `threshold`, "low NAME", or missing, None or NaN, "unscored".

    Given answers stay: nobody scored them.
    """

    name: str
    threshold: float

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        return [reject_traces(group, self._reason) for group in groups]

    def _reason(self, trace: Trace) -> str | None:
        value = trace.rewards.get(self.name)
        if trace.stop == "given":
            return None
        if not is_scored(value):
            return "unscored"
        return f"low {self.name}" if value < self.threshold else None


@dataclass
class EntropyFilter:
    """Rejects answers that the policy was not sure of: "uncertain" above a mean entropy of `most` nats a token.

    The entropies are those of the raw next-token distributions, whatever the sampling. Answers without one are
    "unscored"; given ones stay.
    """

    most: float

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        return [reject_traces(group, self._reason) for group in groups]

    def _reason(self, trace: Trace) -> str | None:
        if trace.stop == "given":
            return None
        if not is_scored(trace.entropy):
            return "unscored"
        return "uncertain" if trace.entropy > self.most else None


@dataclass
class ConfidenceFilter:
    """Keeps the top `share` of each family and level by mean sampled log-probability, and all ties at the cut.

    By level, so that the harder ones, of which a policy is less sure, are not emptied. Rejects the rest with "low
    confidence" and traces that have none with "unscored"; given answers stay, for nobody sampled them.
    """

    share: float

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        ranked: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        for group in groups:
            for trace in group.traces:
                # Whom an earlier pass rejected is still ranked: a second pass then cuts at the same place.
                confidence = mean_logprob(trace) if trace.rejected in (None, "low confidence") else None
                if is_scored(confidence):
                    ranked[level_of(group)].append(confidence)
        cut = {level: _top(values, self.share) for level, values in ranked.items()}

        def reason(level: tuple[str, int], trace: Trace) -> str | None:
            confidence = mean_logprob(trace)
            if trace.stop == "given":
                return None
            if not is_scored(confidence):
                return "unscored"
            return "low confidence" if confidence < cut[level] else None

        return [reject_traces(group, partial(reason, level_of(group))) for group in groups]


def _top(values: list[float], share: float) -> float:
    """The smallest of the top share of the values, rounded up to whole ones; inf for a share of 0."""
    count = math.ceil(share * len(values) - 1e-9)  # 0.07 * 100 is 7.000000000000001
    return sorted(values, reverse=True)[count - 1] if count else math.inf
